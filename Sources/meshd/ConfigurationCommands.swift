import ArgumentParser
import Mesh
import SystemPackage
import Tun

/// `meshd save`.
struct Save: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "save", abstract: "Writes the configuration of a running node to its file",
    usage: "meshd save <file>.conf | <name> [--socket-dir <directory>]")

  @Argument var file: String
  @OptionGroup var socket: SocketOptions

  func run() throws {
    let path = try ConfigurationPath(file)
    var saved = try running(path)
    // What meshd does not act on is in the file only.
    if path.exists {
      let before = try path.parse()
      saved.dns = before.dns
      saved.saveConfig = before.saveConfig
    }
    do {
      try path.file.write(Array(saved.text.utf8))
    } catch {
      throw Failure("Could not write \(path.file.path): \(error)")
    }
  }

  private func running(_ path: ConfigurationPath) throws(Failure) -> ConfigurationFile {
    do {
      let lines = try socket.client(of: path.interface).ask(.command(.configuration)).textLines
      return try ConfigurationFile(parsing: lines.joined(separator: "\n"), name: path.interface)
    } catch {
      throw Failure("Unable to access interface \(path.interface): \(error)")
    }
  }
}

/// `meshd strip`.
struct Strip: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "strip", abstract: "Prints what `wg setconf' understands of a configuration file",
    usage: "meshd strip <file>.conf | <name>")

  @Argument var file: String

  func run() throws {
    let path = try ConfigurationPath(file)
    let text = try path.read()
    _ = try path.parse(text)
    print(ConfigurationFile.strip(text), terminator: "")
  }
}

/// `meshd check`.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks a configuration file and names the place of a mistake",
    usage: "meshd check <file>.conf | <name>")

  @Argument var file: String

  func run() throws {
    _ = try ConfigurationPath(file).parse()
  }
}
