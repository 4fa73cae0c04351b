import CLinux
import Glibc
import SystemPackage
import Testing
import Tun

@Suite struct ProcessTests {
  @Test func aHookRunsInAShellAndItsEndingIsKnown() throws {
    let directory = try TemporaryDirectory()
    let file = StateFile(directory.path.appending("out"))
    #expect(try ChildProcess.run(shell: "echo \"a b\" | tr a-z A-Z > \(file.path)") == .exited(0))
    #expect(try file.read() == Array("A B\n".utf8))
    #expect(try ChildProcess.run(shell: "exit 3") == .exited(3))
    #expect(try ChildProcess.run(shell: "kill -9 $$") == .killed(9))
    #expect(try ChildProcess.run(shell: "/nowhere/at/all 2> /dev/null") == .exited(127))
  }

  @Test func aHookDoesNotInheritOurDescriptors() throws {
    let wakeup = try Wakeup()
    let command = "test ! -e /proc/$$/fd/\(wakeup.descriptor.rawValue)"
    #expect(try ChildProcess.run(shell: command) == .exited(0))
  }

  /// Runs `body` in a child, where it daemonizes; returns what the command's caller sees.
  private func daemonize(_ body: (consuming Daemonizer) -> Void) throws -> (status: Int32, text: [UInt8]) {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let command = clinux_fork()
    if command == 0 {
      dup2(ends[1], STDERR_FILENO)
      close(ends[0])
      close(ends[1])
      if let daemonizer = try? Daemonizer() { body(daemonizer) }
      _exit(9)
    }
    close(ends[1])
    var status: Int32 = 0
    waitpid(command, &status, 0)
    var text = [UInt8](repeating: 0, count: 1000)
    let count = read(ends[0], &text, text.count)
    close(ends[0])
    return (status >> 8 & 0xFF, Array(text[..<max(count, 0)]))
  }

  @Test func theCommandReturnsWhenTheDaemonIsReady() throws {
    let outcome = try daemonize { try? $0.ready() }
    #expect(outcome.status == 0 && outcome.text == [])
  }

  @Test func theCommandSaysWhyThereIsNoDaemon() throws {
    let failed = try daemonize { $0.fail("UDP port 51820 is in use") }
    #expect(failed.status == 1 && failed.text == Array("UDP port 51820 is in use\n".utf8))
    let died = try daemonize { _ in }
    #expect(died.status == 1 && died.text == Array("the daemon ended before it was ready\n".utf8))
  }

  @Test func privilegesAreKnown() throws {
    let status = String(decoding: try StateFile("/proc/self/status").read(), as: UTF8.self)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("CapEff:") })
    let capabilities = try #require(UInt64(line.split(separator: "\t").last ?? "", radix: 16))
    #expect(Privileges.hasNetworkAdministration == (capabilities >> 12 & 1 == 1))
  }
}
