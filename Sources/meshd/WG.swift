import ArgumentParser
import Glibc
import Logging
import Mesh
import Tun

/// `meshd wg`, and `meshd INTERFACE`: what wireguard-go does, with its environment variables.
struct WG: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wg",
    abstract: "Makes an interface for wg(8) and wg-quick(8) to configure, as wireguard-go does",
    usage: """
      meshd wg <interface> [-f | --foreground] [--transit process | kernel | off] [--lanes <count>]
        [--socket-dir <directory>] [--state-dir <directory>]
      """)

  @Argument var interface: String
  @Flag(name: [.customShort("f"), .long]) var foreground = false
  @Option(transform: Configuration.Transit.init(argument:)) var transit = Configuration.Transit.kernel
  @OptionGroup var lane: LaneOption
  @OptionGroup var socket: SocketOptions
  @Option(name: .customLong("state-dir")) var stateDirectory = DaemonOptions.defaultStateDirectory

  func run() throws {
    guard InterfaceName(interface) != nil else {
      throw Failure("`\(interface)' is neither a command nor an interface name")
    }
    var options = DaemonOptions(interfaceName: interface, mode: .wg)
    options.isForeground = foreground || environment("WG_PROCESS_FOREGROUND") == "1"
    options.socketDirectory = socket.directory
    options.stateDirectory = stateDirectory
    options.transit = transit
    options.lanes = lane.lanes
    options.logLevel = Self.logLevel(environment("LOG_LEVEL"))
    options.tunDescriptor = try Self.descriptor("WG_TUN_FD")
    options.uapiDescriptor = try Self.descriptor("WG_UAPI_FD")
    try runDaemon(options)
  }

  /// wireguard-go's names; anything else means its default, errors.
  private static func logLevel(_ name: String?) -> Logger.Level? {
    switch name {
    case "verbose", "debug": .debug
    case "silent": nil
    default: .error
    }
  }

  private static func descriptor(_ variable: String) throws(Failure) -> Int32? {
    guard let text = environment(variable), !text.isEmpty else { return nil }
    guard let descriptor = Int32(text), descriptor >= 0 else {
      throw Failure("\(variable) is not a file descriptor: `\(text)'")
    }
    return descriptor
  }
}

extension Configuration.Transit {
  init(argument: String) throws {
    guard let transit = Self(rawValue: argument) else {
      throw ValidationError("`\(argument)' is neither process nor kernel nor off")
    }
    self = transit
  }
}
