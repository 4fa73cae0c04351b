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

  /// The interfaces that daemons serve, by name.
  func interfaces() throws(Failure) -> [String] {
    do {
      return try ControlClient.interfaces(in: FilePath(directory))
    } catch {
      throw Failure("Unable to list interfaces: \(error)")
    }
  }
}
