import Net
import SystemPackage
import Testing
import Tun

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

  @Test func aResolverGoesWithQuestionsOpen() throws {
    var resolver = try Resolver()
    resolver.lookUp("a.name.that.needs.a.server.invalid", token: 4)
    #expect(resolver.descriptor.rawValue >= 0)
  }
}
