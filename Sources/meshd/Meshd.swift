import ArgumentParser
import Glibc
import SystemPackage

/// The command `meshd`: its verbs, and the conventions of `wg` and wireguard-go around them.
@main
struct Meshd: ParsableCommand {
  /// The version of this program.
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "meshd",
    abstract: "A userspace WireGuard and Babel daemon",
    usage: "meshd <cmd> [<args>]",
    version: version,
    subcommands: [
      Up.self, Down.self, Reload.self, Show.self, ShowConf.self, SetCommand.self, Save.self, Strip.self,
      Check.self, Neighbours.self, Routes.self, Xroutes.self, Monitor.self, Explain.self, Pin.self,
      Unpin.self,
      GenKey.self, GenPSK.self, PubKey.self, Addr.self, WG.self,
    ])

  static func main() {
    let arguments = Invocation(Array(CommandLine.arguments.dropFirst()))
    switch arguments {
    case .help: print(helpText, terminator: "")
    case .version: print("meshd \(version)")
    case .usage(let verb): print("Usage: \(verb.configuration.usage ?? "")")
    case .verb(let verb, let words): run(verb, words)
    }
  }

  private static func run(_ verb: any ParsableCommand.Type, _ words: [String]) {
    var command: any ParsableCommand
    do {
      command = try verb.parseAsRoot(words)
    } catch {
      complain(verb.message(for: error))
      complain("Usage: \(verb.configuration.usage ?? "")")
      Glibc.exit(1)
    }
    do {
      try command.run()
    } catch let code as ExitCode {
      Glibc.exit(code.rawValue)
    } catch {
      // Every error of ours is one sentence.
      complain("\(error)")
      Glibc.exit(1)
    }
  }

  private static var helpText: String {
    let verbs = configuration.subcommands.map { verb in
      "  \(verb.configuration.commandName ?? ""): \(verb.configuration.abstract)\n"
    }
    return """
      Usage: \(configuration.usage ?? "")

      Available subcommands:
      \(verbs.joined())You may pass `--help' to any of these subcommands to view usage.
      `meshd <interface>' is short for `meshd wg <interface>'.

      """
  }
}

/// A failure of a command: one sentence on standard error, exit status 1.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// Writes a line to standard error.
func complain(_ line: String) {
  // Where standard error is gone there is nobody left to tell.
  _ = try? FileDescriptor.standardError.writeAll((line + "\n").utf8)
}
