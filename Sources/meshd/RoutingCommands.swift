import ArgumentParser
import Mesh
import Net
import SystemPackage

/// What the verbs that show Babel's tables have in common.
struct RoutingOptions: ParsableArguments {
  @Argument var interface: String?
  @Flag var json = false
  @OptionGroup var socket: SocketOptions

  static let target = "[<interface>] [--socket-dir <directory>]"
  static let usage = "[<interface>] [--json] [--socket-dir <directory>]"

  /// Prints what the daemon shows.
  func show(_ view: UAPIRequest.View) throws(Failure) {
    let (client, name) = try socket.target(interface)
    do {
      let answer = try client.ask(.command(.view(view, json ? .json : .text)))
      print(answer.textLines.joined(separator: "\n"), terminator: "")
    } catch {
      throw Failure("Unable to access interface \(name): \(error)")
    }
  }

  /// Prints events as they come, until the daemon ends.
  func follow() throws(Failure) {
    let (client, name) = try socket.target(interface)
    do {
      try client.follow(.command(.view(.monitor, json ? .json : .text))) { line in
        // Each line at once, also into a pipe. Where standard output is gone there is nobody left to tell.
        _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8)
      }
    } catch {
      throw Failure("Unable to monitor interface \(name): \(error)")
    }
  }
}

/// `meshd neighbours`.
struct Neighbours: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "neighbours", abstract: "Shows the Babel neighbours",
    usage: "meshd neighbours \(RoutingOptions.usage)")

  @OptionGroup var options: RoutingOptions

  func run() throws { try options.show(.neighbours) }
}

/// `meshd routes`.
struct Routes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "routes", abstract: "Shows the routes in use, or all that Babel knows",
    usage: "meshd routes [--all] \(RoutingOptions.usage)")

  @Flag var all = false
  @OptionGroup var options: RoutingOptions

  func run() throws { try options.show(.routes(all: all)) }
}

/// `meshd xroutes`.
struct Xroutes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "xroutes", abstract: "Shows what this node announces",
    usage: "meshd xroutes \(RoutingOptions.usage)")

  @OptionGroup var options: RoutingOptions

  func run() throws { try options.show(.xroutes) }
}

/// `meshd monitor`.
struct Monitor: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "monitor", abstract: "Shows what happens, as it happens, until interrupted",
    usage: "meshd monitor \(RoutingOptions.usage)")

  @OptionGroup var options: RoutingOptions

  func run() throws { try options.follow() }
}

/// `meshd explain`.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Tells why packets to and from an address fare as they do",
    usage: "meshd explain <address> [--from <source>] \(RoutingOptions.usage)")

  @Argument var address: String
  @Option var from: String?
  @OptionGroup var options: RoutingOptions

  func run() throws {
    let source: IPAddress? = if let from { try Self.address(from) } else { nil }
    try options.show(.explain(Self.address(address), from: source))
  }

  private static func address(_ text: String) throws -> IPAddress {
    guard let address = IPAddress(text) else { throw Failure("`\(text)' is not an address") }
    return address
  }
}
