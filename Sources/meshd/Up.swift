import ArgumentParser
import Logging
import Mesh
import SystemPackage

/// `meshd up`.
struct Up: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up", abstract: "Brings up a node from a configuration file",
    usage: """
      meshd up <file>.conf | <name> [-f | --foreground] [--log-level <level>] [--lanes <count>]
        [--socket-dir <directory>] [--state-dir <directory>]
      """)

  @Argument var file: String
  @Flag(name: [.customShort("f"), .long]) var foreground = false
  @Option(transform: Logger.Level.init(argument:)) var logLevel = Logger.Level.info
  @OptionGroup var lane: LaneOption
  @OptionGroup var socket: SocketOptions
  @Option(name: .customLong("state-dir")) var stateDirectory = DaemonOptions.defaultStateDirectory

  func run() throws {
    let path = try ConfigurationPath(file)
    // A broken file starts nothing, and its error is the first thing seen.
    _ = try path.parse()
    var options = DaemonOptions(interfaceName: path.interface, mode: .mesh)
    options.configurationPath = try path.absolute()
    options.isForeground = foreground
    options.socketDirectory = socket.directory
    options.stateDirectory = stateDirectory
    options.logLevel = logLevel
    options.lanes = lane.lanes
    try runDaemon(options)
  }
}

/// `meshd down`.
struct Down: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "down", abstract: "Takes down the interface that `up' brought up",
    usage: "meshd down <file>.conf | <name> [--socket-dir <directory>]")

  @Argument var file: String
  @OptionGroup var socket: SocketOptions

  func run() throws {
    let interface = try ConfigurationPath(file).interface
    do {
      try socket.client(of: interface).ask(.command(.down), untilEnd: true)
    } catch {
      throw Failure("Unable to take down \(interface): \(error)")
    }
  }
}

/// `meshd reload`.
struct Reload: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Applies a changed configuration file to a running node",
    usage: "meshd reload <file>.conf | <name> [--socket-dir <directory>]")

  @Argument var file: String
  @OptionGroup var socket: SocketOptions

  func run() throws {
    let path = try ConfigurationPath(file)
    _ = try path.parse()
    do {
      try socket.client(of: path.interface).ask(.command(.reload(path: try path.absolute())))
    } catch {
      throw Failure("Unable to reload \(path.interface): \(error)")
    }
  }
}

extension Logger.Level {
  init(argument: String) throws {
    guard let level = Self(rawValue: argument) else {
      let levels = Self.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("`\(argument)' is not one of \(levels)")
    }
    self = level
  }
}
