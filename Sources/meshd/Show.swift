import ArgumentParser
import Glibc
import Mesh

/// `meshd show`.
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows the current configuration and device information",
    usage: """
      meshd show { <interface> | all | interfaces } \
      [\(ShowField.allCases.map(\.rawValue).joined(separator: " | "))] \
      [--json] [--socket-dir <directory>]
      """)

  @Argument var interface = "all"
  @Argument(transform: ShowField.init(argument:)) var field: ShowField?
  @Flag var json = false
  @OptionGroup var socket: SocketOptions

  func validate() throws {
    guard interface != "interfaces" || field == nil else {
      throw ValidationError("`interfaces' has no fields")
    }
    if let field, json {
      throw ValidationError("`\(field.rawValue)' has no JSON form; leave it out to get everything")
    }
  }

  func run() throws {
    switch interface {
    case "interfaces": try showInterfaces()
    case "all": try showAll()
    default: try showOne()
    }
  }

  private func showInterfaces() throws {
    let names = try socket.interfaces()
    if json {
      print(ShowJSON.names(names), terminator: "")
    } else if !names.isEmpty {
      print(names.joined(separator: " "))
    }
  }

  private func showOne() throws {
    do {
      print(
        text(of: [try socket.client(of: interface).status(of: interface)], withInterfaceName: false),
        terminator: "")
    } catch {
      throw Failure("Unable to access interface: \(error)")
    }
  }

  private func showAll() throws {
    var statuses: [Status] = []
    var failures = 0
    for name in try socket.interfaces() {
      do {
        statuses.append(try socket.client(of: name).status(of: name))
      } catch {
        failures += 1
        complain("Unable to access interface \(name): \(error)")
      }
    }
    print(text(of: statuses, withInterfaceName: true), terminator: "")
    if failures > 0, statuses.isEmpty { throw ExitCode(1) }
  }

  private func text(of statuses: [Status], withInterfaceName: Bool) -> String {
    if let field {
      return statuses.map { field.text(of: $0, withInterfaceName: withInterfaceName) }.joined()
    }
    let showsSecrets = environment("WG_HIDE_KEYS") == "never"
    if json { return ShowJSON.interfaces(statuses, showsSecrets: showsSecrets) }
    let colorMode = environment("WG_COLOR_MODE")
    let isColored = colorMode == "always" || (colorMode != "never" && isatty(STDOUT_FILENO) == 1)
    let show = ShowText(now: Int64(time(nil)), showsSecrets: showsSecrets, isColored: isColored)
    return statuses.map(show.interface).joined(separator: "\n")
  }
}

extension ShowField {
  init(argument: String) throws {
    guard let field = Self(rawValue: argument) else {
      throw ValidationError("`\(argument)' is not one of the fields")
    }
    self = field
  }
}

/// `meshd showconf`.
struct ShowConf: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "showconf",
    abstract: "Shows the current configuration of a given interface, for use with `wg setconf'",
    usage: "meshd showconf <interface> [--socket-dir <directory>]")

  @Argument var interface: String
  @OptionGroup var socket: SocketOptions

  func run() throws {
    do {
      print(ShowText.showconf(try socket.client(of: interface).status(of: interface)), terminator: "")
    } catch {
      throw Failure("Unable to access interface: \(error)")
    }
  }
}
