import Logging
import SystemPackage
import Tun

/// The user's own commands around the life of an interface (`PreUp` … `PostDown`), with `%i` for its name.
struct Hooks {
  let interface: String
  let logger: Logger

  /// A command that failed; nothing after it is done.
  struct Failure: Error, CustomStringConvertible {
    let command: String
    let reason: String

    var description: String { "the command `\(command)` \(reason): mend it or take it out of the file" }
  }

  /// Runs the commands in order and stops at the first that fails.
  func run(_ commands: [String]) throws {
    for command in commands {
      let command = replacingName(in: command)
      logger.debug("running", metadata: ["command": "\(command)"])
      switch try ChildProcess.run(shell: command) {
      case .exited(0): break
      case .exited(let status): throw Failure(command: command, reason: "failed with status \(status)")
      case .killed(let signal): throw Failure(command: command, reason: "was killed by signal \(signal)")
      }
    }
  }

  /// Runs the commands in order, whatever becomes of each.
  func attempt(_ commands: [String]) {
    for command in commands {
      do {
        try run([command])
      } catch {
        logger.warning("\(error)")
      }
    }
  }

  private func replacingName(in command: String) -> String {
    var result = ""
    var rest = Substring(command)
    while let percent = rest.firstRange(of: "%i") {
      result += rest[..<percent.lowerBound] + interface
      rest = rest[percent.upperBound...]
    }
    return result + rest
  }
}
