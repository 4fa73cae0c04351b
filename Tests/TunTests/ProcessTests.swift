import Glibc
import SystemPackage
import Testing
import Tun

/// Ends the background process, which must not go on as a test.
///
/// Not `Never`, so that the compiler keeps what follows in the body of a test.
private func leave() {
  _exit(9)
}

/// A line of `/proc/self/status`, in KiB.
private func residentSize(_ field: String) throws -> Int {
  let status = String(decoding: try StateFile("/proc/self/status").read(), as: UTF8.self)
  let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
  return Int(line?.split(whereSeparator: \.isWhitespace)[1] ?? "") ?? 0
}

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

  @Test func theCommandReturnsWhenTheDaemonIsReady() async {
    await #expect(processExitsWith: .exitCode(0)) {
      try Daemonizer().ready()
      leave()
    }
  }

  @Test func theCommandSaysWhyThereIsNoDaemon() async throws {
    let failed = try await #require(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      try Daemonizer().fail("UDP port 51820 is in use")
      leave()
    }
    #expect(
      String(decoding: failed.standardErrorContent, as: UTF8.self).contains("UDP port 51820 is in use\n"))
    let died = try await #require(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      let daemonizer = try Daemonizer()
      withExtendedLifetime(daemonizer) { leave() }
    }
    #expect(String(decoding: died.standardErrorContent, as: UTF8.self).contains("ended before it was ready"))
  }

  @Test func whatIsGivenUpStaysGivenUp() async {
    await #expect(processExitsWith: .exitCode(0)) {
      try Privileges.forbidDumps()
      try Privileges.forbidNewPrivileges()
      let status = String(decoding: try StateFile("/proc/thread-self/status").read(), as: UTF8.self)
      #expect(status.contains("NoNewPrivs:\t1"))
      let limits = String(decoding: try StateFile("/proc/thread-self/limits").read(), as: UTF8.self)
      #expect(limits.split(separator: "\n").contains { $0.hasPrefix("Max core file size        0") })
    }
  }

  @Test func thePagesOfTheProgramGoAndComeBack() async {
    await #expect(processExitsWith: .exitCode(0)) {
      let before = try residentSize("RssFile")
      try ProcessMemory.releaseProgram()
      #expect(try residentSize("RssFile") < before)
    }
  }

  @Test func largeBlocksGoBackToTheSystem() async {
    await #expect(processExitsWith: .exitCode(0)) {
      try ProcessMemory.returnLargeBlocks()
      let before = try residentSize("RssAnon")
      for size in 1...8 {
        let table = [UInt8](repeating: 1, count: size << 20)
        #expect(try residentSize("RssAnon") >= before + size << 10, "\(table.count)")
      }
      #expect(try residentSize("RssAnon") < before + 1 << 10)
    }
  }

  @Test func privilegesAreKnown() throws {
    let status = String(decoding: try StateFile("/proc/self/status").read(), as: UTF8.self)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("CapEff:") })
    let capabilities = try #require(UInt64(line.split(separator: "\t").last ?? "", radix: 16))
    #expect(Privileges.hasNetworkAdministration == (capabilities >> 12 & 1 == 1))
  }
}
