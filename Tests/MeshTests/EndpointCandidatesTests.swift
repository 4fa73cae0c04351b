import Net
import Testing

@testable import Mesh

/// Where a peer may be, and which of it is used.
@Suite struct EndpointCandidatesTests {
  private typealias Source = Configuration.EndpointSource

  private func endpoint(_ host: UInt8) -> Endpoint {
    Endpoint(address: .v4(IPv4Address(192, 0, 2, host)), port: 51820)
  }

  private func candidates(_ hosts: UInt8...) -> EndpointCandidates {
    var candidates = EndpointCandidates()
    candidates.configure(hosts.map { .address(endpoint($0)) })
    return candidates
  }

  @Test func firstConfiguredEndpointIsUsed() {
    #expect(EndpointCandidates().current == nil)
    #expect(candidates(1, 2).current == Path(remote: endpoint(1)))
    #expect(candidates(1, 2).endpoints == [endpoint(1), endpoint(2)])
  }

  @Test func observedPathIsUsedAndNewsOnlyOnce() {
    var candidates = candidates(1)
    let path = Path(remote: endpoint(9), local: .v4(IPv4Address(10, 0, 0, 1)), interface: 3)
    let isNews = candidates.observe(path)
    let isNewsAgain = candidates.observe(path)
    #expect(isNews && !isNewsAgain)
    #expect(candidates.current == path)
  }

  @Test func sameConfigurationKeepsTheLearnedPath() {
    var candidates = candidates(1)
    _ = candidates.observe(Path(remote: endpoint(9)))
    candidates.configure([.address(endpoint(1))])
    #expect(candidates.current?.remote == endpoint(9))
    candidates.configure([])
    #expect(candidates.current?.remote == endpoint(9))
  }

  @Test func newNumericEndpointIsGoneToAtOnce() {
    var candidates = candidates(1)
    _ = candidates.observe(Path(remote: endpoint(9)))
    candidates.configure([.address(endpoint(1)), .address(endpoint(2))])
    #expect(candidates.current == Path(remote: endpoint(2)))
  }

  @Test func staleSourceIsForgottenAndTheEndpointKept() {
    var candidates = candidates(1)
    _ = candidates.observe(Path(remote: endpoint(9), local: .v4(IPv4Address(10, 0, 0, 1)), interface: 3))
    candidates.forgetSource()
    #expect(candidates.current == Path(remote: endpoint(9)))
    var none = EndpointCandidates()
    none.forgetSource()
    #expect(none.current == nil)
  }

  @Test func namesWaitForTheirAddresses() {
    let name = Source.name("example.org", port: 7)
    var candidates = EndpointCandidates()
    candidates.configure([name, .address(endpoint(2))])
    #expect(candidates.unresolved == [name])
    #expect(candidates.current?.remote == endpoint(2))
    candidates.resolve(name, to: [])
    #expect(candidates.unresolved == [name])
    candidates.resolve(name, to: [endpoint(5), endpoint(6)])
    #expect(candidates.unresolved == [])
    #expect(candidates.endpoints == [endpoint(5), endpoint(6), endpoint(2)])
    #expect(candidates.current?.remote == endpoint(2))
    candidates.resolve(name, to: [])
    #expect(candidates.endpoints.count == 3)
  }

  @Test func firstAnswerOfAResolverIsUsedWhenThereIsNothingElse() {
    let name = Source.name("example.org", port: 7)
    var candidates = EndpointCandidates()
    candidates.configure([name])
    #expect(candidates.current == nil)
    candidates.resolve(name, to: [endpoint(5)])
    #expect(candidates.current?.remote == endpoint(5))
  }

  @Test func resolvedNameSurvivesAReloadThatKeepsIt() {
    let name = Source.name("example.org", port: 7)
    var candidates = EndpointCandidates()
    candidates.configure([name])
    candidates.resolve(name, to: [endpoint(5)])
    candidates.configure([.address(endpoint(1)), name])
    #expect(candidates.unresolved == [])
    #expect(candidates.endpoints == [endpoint(1), endpoint(5)])
  }

  @Test func unansweredHandshakesGoRoundAllEndpoints() {
    var candidates = candidates(1, 2, 3)
    var tried: [Endpoint?] = []
    for _ in 0..<4 {
      candidates.turn()
      tried.append(candidates.current?.remote)
    }
    #expect(tried == [endpoint(2), endpoint(3), endpoint(1), endpoint(2)])
  }

  @Test func turningFromALearnedPathTriesTheConfiguredOnes() {
    var candidates = candidates(1, 2)
    _ = candidates.observe(Path(remote: endpoint(9)))
    candidates.turn()
    #expect(candidates.current?.remote == endpoint(2))
    var single = self.candidates(1)
    _ = single.observe(Path(remote: endpoint(9)))
    single.turn()
    #expect(single.current?.remote == endpoint(9))
  }
}
