import Glibc
import Mesh
import Net
import SystemPackage
import Tun

/// The command `crowd`: many nodes in one process, where as many daemons would want as many processors.
@main
enum Crowd {
  private static let usage = """
    Usage: crowd CONFIG…    one node for each file of `meshd up`, on its ListenPort; they start 50 ms after each other

    The nodes are meshd's own, and what they say goes over real sockets; they have no interface, so neither do they carry
    anything for their hosts, nor know of other routes than Babel's. SIGTERM ends them without farewell.

    """

  /// Its place among the members.
  private struct Token: RawRepresentable {
    let rawValue: UInt64
  }

  static func main() {
    let files = CommandLine.arguments.dropFirst()
    guard !files.isEmpty else { fail(usage) }
    do {
      try raiseDescriptorLimit()
      try run(try files.map { try configuration(FilePath($0)) })
    } catch {
      fail("\(error)\n")
    }
  }

  private static func configuration(_ path: FilePath) throws -> Configuration {
    let octets = try StateFile(path).read()
    return try ConfigurationFile(parsing: String(decoding: octets, as: UTF8.self), name: path.string)
      .configuration
  }

  /// Each member has a socket of each family.
  private static func raiseDescriptorLimit() throws(Errno) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw Errno(rawValue: errno)
    }
    limit.rlim_cur = limit.rlim_max
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw Errno(rawValue: errno)
    }
  }

  private static let pause = Duration.milliseconds(50)

  private static func run(_ configurations: [Configuration]) throws {
    let clock = SystemClock()
    var poller = try Poller<Token>(capacity: 256)
    var members: [Member] = []
    var start = clock.now
    var batch = PacketBatch(bufferCount: 64, bufferCapacity: 2048)
    while true {
      if members.count < configurations.count, start <= clock.now {
        let member = try Member(configurations[members.count])
        for family in [AddressFamily.v4, .v6] {
          guard let descriptor = member.descriptor(family) else { continue }
          try poller.add(descriptor, as: Token(rawValue: UInt64(members.count)))
        }
        members.append(member)
        start = members.count < configurations.count ? start.advanced(by: pause) : .distantFuture
      }
      let next = min(start, members.lazy.map(\.deadline).min() ?? .distantFuture)
      try poller.wait(atMost: next == .distantFuture ? nil : max(.zero, clock.now.duration(to: next)))
      for event in poller.events { members[Int(event.token.rawValue)].receive(by: &batch, at: clock.now) }
      let now = clock.now
      for member in members where member.deadline <= now { member.turn(at: now) }
    }
  }

  private static func fail(_ text: String) -> Never {
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
    exit(1)
  }
}
