import Glibc
import Net
import SystemPackage
import Testing
import Tun

/// Questions to hosts: pings, connections, pages.
@Suite struct ProbeTests {
  private enum Token: UInt64 {
    case probe
    case server
  }

  private static let loopback = IPAddress.v4(IPv4Address(127, 0, 0, 1))

  // MARK: the words themselves

  private func isAnswered(_ message: EchoMessage, by packet: [UInt8], isRaw: Bool = false) -> Bool {
    message.isAnswered(by: packet.span.bytes, isRaw: isRaw)
  }

  @Test(arguments: AddressFamily.allCases) func echoReplyIsKnownByKindIdentifierAndSequence(
    family: AddressFamily
  ) {
    let message = EchoMessage(family, identifier: 0x1234, sequence: 7)
    var reply = message.request
    #expect(reply.prefix(1) == [family == .v4 ? 8 : 128] && reply.suffix(4) == [0x12, 0x34, 0, 7])
    // Our own request is no reply.
    #expect(!isAnswered(message, by: reply))
    reply[0] = family == .v4 ? 0 : 129
    #expect(isAnswered(message, by: reply))
    let header: [UInt8] = family == .v4 ? [0x46] + [UInt8](repeating: 0, count: 23) : []
    let raw = header + reply
    #expect(isAnswered(message, by: raw, isRaw: true))
    var other = EchoMessage(family, identifier: 0x1235, sequence: 7)
    #expect(!isAnswered(other, by: raw, isRaw: true))
    // A socket for pings has put its own identifier in.
    #expect(isAnswered(other, by: reply))
    other.sequence = 8
    #expect(!isAnswered(other, by: reply))
    for length in 0..<reply.count {
      #expect(!isAnswered(message, by: Array(reply[..<length])))
    }
    for length in 0..<raw.count {
      #expect(!isAnswered(message, by: Array(raw[..<length]), isRaw: true))
    }
  }

  @Test func checksumOfARequestIsRight() {
    var checksum = Checksum()
    checksum.add(EchoMessage(.v4, identifier: 0xABCD, sequence: 0xFFFE).request.span.bytes)
    #expect(checksum.value == 0)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\n", 200), ("HTTP/1.0 302 Found\r\nLocation: x", 302), ("HTTP/1.1 404\r\n", 404),
    ("HTTP/1.1 503 \n", 503),
  ])
  func statusLineIsRead(text: String, code: Int) throws {
    let line = try #require(try HTTPStatusLine(Array(text.utf8)))
    #expect(line.code == code && line.isSuccess == (code < 400))
    for length in 0..<12 { #expect(try HTTPStatusLine(Array(text.utf8.prefix(length))) == nil) }
  }

  @Test(arguments: [
    "\n", "SSH-2.0-x\r\n", "HTTP/2 200\r\n", "HTTP/1.1 20 OK\n", "HTTP/1.1 -20 OK\n", "HTTP/1.1 2000\n",
  ])
  func anythingElseIsNoStatusLine(text: String) {
    #expect(throws: HTTPStatusLine.Malformed.self) { try HTTPStatusLine(Array(text.utf8)) }
  }

  @Test func endlessLineIsGivenUp() {
    #expect(throws: HTTPStatusLine.Malformed.self) { try HTTPStatusLine([UInt8](repeating: 65, count: 512)) }
  }

  // MARK: on the wire

  /// Goes on with a probe until it has come to an end.
  private func outcome(_ probe: consuming Probe) throws -> Probe.Progress {
    var poller = try Poller<Token>()
    try poller.add(probe.descriptor, as: .probe, for: probe.awaitsWriting ? .write : .read)
    for _ in 0..<50 {
      try poller.wait(atMost: .seconds(5))
      guard !poller.events.isEmpty else { break }
      let progress = probe.proceed()
      guard progress == .waiting else { return progress }
      try poller.update(probe.descriptor, as: .probe, for: probe.awaitsWriting ? .write : .read)
    }
    return .waiting
  }

  /// A TCP server on a thread that reads once and says `answer` to its only client; returns what came of `body`.
  private func withServer<Value>(_ answer: String, _ body: (Endpoint) throws -> Value) throws -> Value {
    let server = OwnedDescriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let number = server.descriptor.rawValue
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        #expect(
          bind(number, $0, length) == 0 && listen(number, 1) == 0 && getsockname(number, $0, &length) == 0)
      }
    }
    let thread = try Thread(named: "server") {
      let client = accept(number, nil, nil)
      var octets = [UInt8](repeating: 0, count: 4096)
      if !answer.isEmpty { _ = read(client, &octets, octets.count) }
      _ = Array(answer.utf8).withUnsafeBytes { write(client, $0.baseAddress, $0.count) }
      close(client)
    }
    let outcome = Result {
      try body(Endpoint(address: Self.loopback, port: UInt16(bigEndian: address.sin_port)))
    }
    // Wakes a server that nobody has called.
    shutdown(number, Int32(SHUT_RDWR))
    thread.join()
    return try outcome.get()
  }

  @Test func openPortAnswersAndAClosedOneDoesNot() throws {
    let endpoint = try withServer("") { endpoint in
      let progress = try outcome(try Probe(connectingTo: endpoint))
      #expect(progress == .answered)
      return endpoint
    }
    // The kernel may refuse at once or a moment later.
    do {
      let progress = try outcome(try Probe(connectingTo: endpoint))
      #expect(progress == .failed("\(Errno.connectionRefused)"))
    } catch {
      #expect(error as? Errno == .connectionRefused)
    }
  }

  @Test(arguments: [
    ("HTTP/1.1 204 No Content\r\n\r\n", Probe.Progress.answered),
    ("HTTP/1.1 500 Oops\r\n\r\n", .failed("HTTP status 500")),
    ("hello\r\n", .failed("the answer is not HTTP")),
    ("HTTP/1.1 2", .failed("the connection ended without an answer")),
  ])
  func pageIsJudgedByItsStatus(answer: String, expected: Probe.Progress) throws {
    try withServer(answer) { endpoint in
      let progress = try outcome(try Probe(getting: "/health", from: endpoint))
      #expect(progress == expected)
    }
  }

  @Test(.needsRoot, arguments: [loopback, .v6(.loopback)])
  func pingIsAnswered(address: IPAddress) throws {
    try inNetworkNamespace {
      #expect(Probe.mayPing(address.family))
      let progress = try outcome(try Probe(pinging: address, identifier: 77, sequence: 1))
      #expect(progress == .answered)
      // Nobody is there: the kernel says so at once, for there is no route.
      #expect(throws: Errno.networkUnreachable) {
        _ = try Probe(pinging: .v4(IPv4Address(192, 0, 2, 1)), identifier: 77, sequence: 2)
      }
    }
  }
}
