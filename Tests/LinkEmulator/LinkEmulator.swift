import Glibc
import LinkEmulation
import SystemPackage
import Tun

/// The command `link-emulator`: a link between two interfaces that is as bad as a test wants it.
@main
enum LinkEmulator {
  private static let usage = """
    Usage: link-emulator run SOCKET A B [SEED]   makes the Ethernet interfaces A and B and joins them
           link-emulator set SOCKET COMMAND…     tells the one that runs there what to do:

    \(EmulatedLink.commands)

    """

  static func main() {
    let words = Array(CommandLine.arguments.dropFirst())
    do {
      switch words.first {
      case "run" where (4...5).contains(words.count): try run(Array(words.dropFirst()))
      case "set" where words.count > 2:
        try command(words.dropFirst(2).joined(separator: " "), to: FilePath(words[1]))
      case "--help": print(usage, terminator: "")
      default: fail(usage)
      }
    } catch {
      fail("\(error)\n")
    }
  }

  private static func run(_ words: [String]) throws {
    guard let a = InterfaceName(words[1]) else { throw TunError.invalidName(words[1]) }
    guard let b = InterfaceName(words[2]) else { throw TunError.invalidName(words[2]) }
    guard let seed = words.count > 3 ? UInt64(words[3]) : 1 else { fail("`\(words[3])` is no seed.\n") }
    // Before all that is tested on this machine, since what wakes late distorts. Where that is refused, it only distorts more.
    var parameters = sched_param()
    parameters.sched_priority = 1
    _ = sched_setscheduler(0, SCHED_RR, &parameters)
    var emulation = try Emulation([a, b], socket: FilePath(words[0]), seed: seed)
    try emulation.run()
  }

  private static func command(_ line: String, to socket: FilePath) throws {
    let connection = try StreamConnection(to: socket)
    var rest = Array(line.utf8)[...]
    while !rest.isEmpty { rest = rest.dropFirst(try connection.write(rest)) }
    connection.finishWriting()
    var answer: [UInt8] = []
    while let octets = try connection.read(), !octets.isEmpty { answer += octets }
    let lines = String(decoding: answer, as: UTF8.self).split(separator: "\n")
    guard lines.last == "ok" else { fail("\(lines.last ?? "The emulator has ended.")\n") }
    for line in lines.dropLast() { print(line) }
  }

  private static func fail(_ text: String) -> Never {
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
    exit(1)
  }
}
