import ArgumentParser
import SystemPackage

/// Where daemons are found.
struct SocketOptions: ParsableArguments {
  @Option(name: .customLong("socket-dir"), help: "Directory of the control sockets.")
  var directory = DaemonOptions.defaultSocketDirectory

  /// A client of the daemon of an interface.
  func client(of interface: String) -> ControlClient {
    ControlClient(path: FilePath(directory).appending("\(interface).sock"))
  }

  /// The daemon to ask, and the name of its interface: the one given, or the only one there is.
  func target(_ interface: String?) throws(Failure) -> (client: ControlClient, name: String) {
    if let interface { return (client(of: interface), interface) }
    let names = try interfaces()
    guard let name = names.first else { throw Failure("No interface is up") }
    guard names.count == 1 else {
      throw Failure("Several interfaces are up; name one of them: \(names.joined(separator: " "))")
    }
    return (client(of: name), name)
  }

  /// The interfaces that daemons serve, by name.
  func interfaces() throws(Failure) -> [String] {
    do {
      return try ControlClient.interfaces(in: FilePath(directory))
    } catch {
      throw Failure("Unable to list interfaces: \(error)")
    }
  }
}
