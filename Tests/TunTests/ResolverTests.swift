import Net
import SystemPackage
import Testing

@testable import Tun

@Suite struct ResolverTests {
  /// Waits for the next answer as a daemon does.
  private func nextAnswer(_ resolver: inout Resolver) throws -> Resolver.Answer {
    var poller = try Poller<UInt64.Token>()
    try poller.add(resolver.descriptor, as: .init(rawValue: 1))
    while true {
      if let answer = resolver.nextAnswer() { return answer }
      let timeout = resolver.timeout
      try #require(timeout != nil, "no question is open, and none is answered")
      try poller.wait(atMost: timeout)
      try resolver.process()
    }
  }

  private static let hosts =
    (try? StateFile("/etc/hosts").read()).map { String(decoding: $0, as: UTF8.self) } ?? ""

  @Test(.enabled(if: hosts.contains("localhost"), "needs localhost in /etc/hosts"))
  func namesInTheHostsFileAreFoundWithAllTheirAddresses() throws {
    var resolver = try Resolver()
    #expect(resolver.timeout == nil && resolver.nextAnswer() == nil)
    resolver.lookUp("localhost", token: 7)
    let answer = try nextAnswer(&resolver)
    #expect(answer.token == 7 && answer.failure == nil)
    #expect(answer.addresses.contains(.v4(IPv4Address(127, 0, 0, 1))))
    #expect(resolver.timeout == nil)
  }

  @Test func numbersNeedNoServer() throws {
    var resolver = try Resolver()
    resolver.lookUp("192.0.2.7", token: 1)
    resolver.lookUp("2001:db8::7", token: 2)
    let first = try nextAnswer(&resolver)
    #expect(first.addresses == [.v4(IPv4Address(192, 0, 2, 7))], "\(first)")
    #expect(try nextAnswer(&resolver).addresses.map(\.description) == ["2001:db8::7"])
  }

  @Test func aNameThatCannotBeIsAFailureInWords() throws {
    var resolver = try Resolver()
    resolver.lookUp(String(repeating: "x", count: 300), token: 3)
    let answer = try nextAnswer(&resolver)
    #expect(answer.token == 3 && answer.addresses == [])
    #expect(answer.failure?.isEmpty == false)
  }

  /// A name server on the loopback that knows one name: under another, with two addresses of either family.
  private struct NameServer {
    let socket: UDPSocket
    let alias: UInt32
    let age: UInt32

    /// Answers the questions that wait.
    func serve() {
      var batch = PacketBatch(bufferCount: 8, bufferCapacity: 2000)
      var reader = socket.reader(capacity: 8)
      _ = reader.receive(into: &batch)
      for index in 0..<batch.count {
        let path = batch.path(batch[index].path)
        _ = socket.send(answer(batch.octets(index)).span.bytes, along: path)
      }
    }

    private func answer(_ question: [UInt8]) -> [UInt8] {
      func big32(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
      }
      var end = 12
      while question[end] != 0 { end += Int(question[end]) + 1 }
      let isV6 = question[end + 2] == 28
      let name: [UInt8] = [3] + Array("far".utf8) + [0]
      var records: [UInt8] = [0xC0, 12, 0, 5, 0, 1] + big32(alias) + [0, UInt8(name.count)] + name
      for host in 1...2 as ClosedRange<UInt8> {
        let data: [UInt8] =
          isV6 ? [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [host] : [192, 0, 2, host]
        records += name + [0, isV6 ? 28 : 1, 0, 1] + big32(age) + [0, UInt8(data.count)] + data
      }
      // One question, three records, and nothing of what came behind the question.
      return question[..<2] + [0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0] + question[12..<end + 5] + records
    }
  }

  @Test(.needsRoot, arguments: [(600, 45), (45, 600)] as [(UInt32, UInt32)])
  func allAddressesComeWithTheShortestTimeToLive(alias: UInt32, age: UInt32) throws {
    try inNetworkNamespace {
      let server = NameServer(socket: try UDPSocket(port: 0), alias: alias, age: age)
      var resolver = try Resolver(servers: "127.0.0.1:\(server.socket.port)")
      resolver.lookUp("near.example", token: 5)
      var answer: Resolver.Answer?
      var poller = try Poller<UInt64.Token>()
      try poller.add(resolver.descriptor, as: .init(rawValue: 1))
      try poller.add(try #require(server.socket.descriptor(.v4)), as: .init(rawValue: 2))
      while answer == nil {
        let timeout = resolver.timeout
        try #require(timeout != nil, "no question is open, and none is answered")
        try poller.wait(atMost: timeout)
        server.serve()
        try resolver.process()
        answer = resolver.nextAnswer()
      }
      let expected = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"]
      #expect(answer?.addresses.map(\.description).sorted() == expected)
      #expect(answer?.timeToLive == .seconds(45) && answer?.failure == nil)
    }
  }

  @Test func questionsThatAreGivenUpAreAnsweredAsFailures() throws {
    var resolver = try Resolver(servers: "127.0.0.1:9")
    resolver.lookUp("near.example", token: 6)
    resolver.cancel()
    let answer = resolver.nextAnswer()
    #expect(answer?.token == 6 && answer?.addresses == [] && answer?.failure?.isEmpty == false)
    let timeout = resolver.timeout
    #expect(timeout == nil)
  }

  @Test func aResolverGoesWithQuestionsOpen() throws {
    var resolver = try Resolver()
    resolver.lookUp("a.name.that.needs.a.server.invalid", token: 4)
    #expect(resolver.descriptor.rawValue >= 0)
  }
}
