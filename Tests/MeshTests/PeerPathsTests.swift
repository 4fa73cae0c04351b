import Net
import Testing

@testable import Mesh

/// The ways to a peer that are known, and which of them is used.
@Suite struct PeerPathsTests {
  private typealias Source = Configuration.EndpointSource

  private let start = Instant(nanoseconds: 1_000_000_000_000)

  private func endpoint(_ host: UInt8) -> Endpoint {
    Endpoint(address: .v4(IPv4Address(192, 0, 2, host)), port: 51820)
  }

  private func path(_ host: UInt8, at local: UInt8? = nil) -> Path {
    Path(
      remote: endpoint(host), local: local.map { .v4(IPv4Address(10, 0, 0, $0)) },
      interface: local == nil ? 0 : 3)
  }

  private func paths(_ hosts: UInt8..., pinned: UInt8? = nil) -> PeerPaths {
    var paths = PeerPaths()
    paths.configure(hosts.map { .address(endpoint($0)) }, pinned: pinned.map { endpoint($0) })
    return paths
  }

  private func observe(_ path: Path, _ paths: inout PeerPaths, at now: Instant) -> Int {
    let place = paths.observe(path, at: now).place
    _ = paths.use(place, at: now)
    return place
  }

  @Test func firstConfiguredEndpointIsUsed() {
    #expect(PeerPaths().current == nil)
    #expect(paths(1, 2).current == path(1))
    #expect(paths(1, 2).endpoints == [endpoint(1), endpoint(2)])
  }

  @Test func ourSideOfTheWayIsRememberedAndForgotten() {
    var paths = paths(1)
    let observed = paths.observe(path(1, at: 1), at: start)
    #expect(observed.place == 0 && !observed.isNew)
    #expect(paths.current == Path(remote: endpoint(1), local: .v4(IPv4Address(10, 0, 0, 1))))
    paths.forgetSource()
    #expect(paths.current == path(1))
    var none = PeerPaths()
    none.forgetSource()
    #expect(none.current == nil)
  }

  @Test func sameRemoteAtAnotherAddressOfOursIsAnotherWay() {
    var paths = paths(1)
    _ = observe(path(1, at: 1), &paths, at: start)
    let other = paths.observe(path(1, at: 2), at: start)
    #expect(other.isNew && other.place == 1)
    #expect(paths.observe(path(1, at: 1), at: start).place == 0)
    #expect(paths.observe(path(1, at: 2), at: start).place == 1)
  }

  @Test func learnedWaysAreBoundedAndThoseHeardLongestAgoGo() {
    var paths = paths(1)
    for host in 10..<30 as Range<UInt8> {
      _ = observe(path(host), &paths, at: start.advanced(by: .seconds(Int64(host))))
    }
    #expect(paths.endpoints == [endpoint(1)] + (26..<30 as Range<UInt8>).map(endpoint))
    #expect(paths.current == path(29))
    paths.expireLearned(at: start.advanced(by: .seconds(26 + 600)))
    #expect(paths.endpoints == [endpoint(1)] + (27..<30 as Range<UInt8>).map(endpoint))
    // The one in use is not given up, however long it says nothing.
    paths.expireLearned(at: start.advanced(by: .seconds(10_000)))
    #expect(paths.endpoints == [endpoint(1), endpoint(29)] && paths.current == path(29))
  }

  @Test func sameConfigurationKeepsTheWayInUse() {
    var paths = paths(1)
    _ = observe(path(9), &paths, at: start)
    paths.configure([.address(endpoint(1))], pinned: nil)
    #expect(paths.current?.remote == endpoint(9))
    paths.configure([], pinned: nil)
    #expect(paths.current?.remote == endpoint(9))
  }

  @Test func oneMoreEndpointIsNoReasonToGoThere() {
    var paths = paths(1)
    paths.configure([.address(endpoint(2)), .address(endpoint(1))], pinned: nil)
    #expect(paths.current == path(1))
    #expect(paths.endpoints == [endpoint(2), endpoint(1)])
  }

  @Test func allEndpointsNewIsAReason() {
    var paths = paths(1)
    paths.configure([.address(endpoint(2))], pinned: nil)
    #expect(paths.current == path(2))
  }

  @Test func commandedEndpointIsAddedAndGoneTo() {
    var paths = paths(1, 2)
    paths.configure([.address(endpoint(1)), .address(endpoint(2))], pinned: endpoint(3))
    #expect(paths.endpoints == [endpoint(1), endpoint(2), endpoint(3)])
    #expect(paths.current == path(3) && paths.pinnedPlace == 2)
    paths.configure([.address(endpoint(1)), .address(endpoint(2))], pinned: endpoint(2))
    #expect(paths.current == path(2))
    // What was in use is forgotten like anything learned.
    paths.expireLearned(at: start)
    #expect(paths.endpoints == [endpoint(1), endpoint(2)])
    paths.configure([.address(endpoint(1)), .address(endpoint(2))], pinned: nil)
    #expect(paths.current == path(2) && paths.pinnedPlace == nil)
  }

  @Test func namesWaitForTheirAddresses() {
    let name = Source.name("example.org", port: 7)
    var paths = PeerPaths()
    paths.configure([name, .address(endpoint(2))], pinned: nil)
    #expect(paths.unresolved == [name] && paths.current == path(2))
    paths.resolve(name, to: [])
    #expect(paths.unresolved == [name])
    paths.resolve(name, to: [endpoint(5), endpoint(6)])
    #expect(paths.unresolved == [])
    #expect(paths.endpoints == [endpoint(5), endpoint(6), endpoint(2)])
    #expect(paths.current == path(2))
    paths.resolve(name, to: [])
    #expect(paths.endpoints.count == 3)
    paths.configure([.address(endpoint(1)), name], pinned: nil)
    #expect(paths.unresolved == [] && paths.endpoints.prefix(3) == [endpoint(1), endpoint(5), endpoint(6)])
  }

  @Test func addressThatVanishesFromItsNameIsDroppedUnlessInUse() {
    let name = Source.name("example.org", port: 7)
    var paths = PeerPaths()
    paths.configure([name], pinned: nil)
    paths.resolve(name, to: [endpoint(5), endpoint(6)])
    #expect(paths.current == path(5))
    paths.resolve(name, to: [endpoint(7)])
    #expect(paths.endpoints == [endpoint(7), endpoint(5)] && paths.current == path(5))
    _ = paths.use(0, at: start)
    paths.resolve(name, to: [endpoint(8)])
    #expect(paths.endpoints == [endpoint(8), endpoint(7), endpoint(5)] && paths.current == path(7))
  }

  @Test func secondUplinkIsAnotherWayToEachRemote() {
    var paths = paths(1)
    let uplinks = [1, 2].map { host in
      Uplink(interface: UInt32(host), address: .v4(IPv4Address(10, 0, 0, UInt8(host))), mtu: 1500)
    }
    paths.setUplinks(uplinks, hasIPv6: false)
    #expect(
      paths.candidates.map(\.path) == [
        path(1), Path(remote: endpoint(1), local: uplinks[1].address, interface: 2),
      ])
    #expect(paths.current == path(1))
    paths.setUplinks([uplinks[0]], hasIPv6: false)
    #expect(paths.candidates.map(\.path) == [path(1)])
  }

  @Test func withoutAnIPv6AddressNothingGoesBeyondTheLink() throws {
    let remotes = try ["[2001:db8::1]:1", "[fe80::1]:1", "[::1]:1", "10.0.0.1:1"].map {
      Configuration.EndpointSource.address(try #require(Endpoint($0)))
    }
    var paths = PeerPaths()
    paths.configure(remotes, pinned: nil)
    paths.setUplinks([], hasIPv6: false)
    #expect(paths.candidates.map { $0.isUsable(at: start) } == [false, true, true, true])
    // A change of the network alone brings no address.
    paths.candidates[0].forgetNetwork()
    #expect(!paths.candidates[0].isUsable(at: start) && paths.alternative(at: start) == 1)
    paths.setUplinks([], hasIPv6: true)
    #expect(paths.candidates[0].isUsable(at: start))
  }

  @Test func refusedWayIsLeftForOneThatLivesFirst() {
    var paths = paths(1, 2, 3)
    paths.candidates[0].fail(at: start)
    #expect(paths.alternative(at: start) == 1)
    paths.candidates[2].quality.answered(after: .milliseconds(50))
    #expect(paths.alternative(at: start) == 2)
    paths.candidates[1].quality.answered(after: .milliseconds(20))
    #expect(paths.alternative(at: start) == 1)
    paths.candidates[1].fail(at: start)
    paths.candidates[2].fail(at: start)
    #expect(paths.alternative(at: start) == nil)
    #expect(paths.alternative(at: start.advanced(by: .seconds(10))) == 1)
  }
}

/// What answers tell about a path.
@Suite struct PathQualityTests {
  @Test func timeoutFollowsTheRoundTripTime() throws {
    var quality = PathQuality()
    #expect(quality.timeout == .milliseconds(300) && quality.cost == nil)
    for _ in 0..<20 { quality.answered(after: .milliseconds(100)) }
    #expect(quality.roundTrip == .milliseconds(100) && quality.timeout < .milliseconds(110))
    #expect(quality.timeout >= .milliseconds(100))
  }

  @Test func lossIsThatOfTheLastProbes() {
    var quality = PathQuality()
    quality.answered(after: .milliseconds(10))
    #expect(quality.loss == 0)
    quality.lost()
    #expect(quality.loss == 0.5 && !quality.isSilent)
    quality.lost()
    quality.lost()
    #expect(quality.isSilent)
    for _ in 0..<32 { quality.answered(after: .milliseconds(10)) }
    #expect(quality.loss == 0 && !quality.isSilent)
    #expect(quality.cost == quality.roundTrip)
  }
}

/// The question and answer that measure a path.
@Suite struct PathProbeTests {
  private func read(_ octets: [UInt8]) -> PathProbe? { PathProbe(reading: octets.span.bytes) }
  private func matches(_ packet: [UInt8]) -> Bool { PathProbe.matches(packet.span.bytes) }

  @Test func readsWhatItWrites() throws {
    for probe in [
      PathProbe(isAnswer: false, nonce: 0xDEAD_BEEF), PathProbe(isAnswer: true, nonce: 7, packetSize: 1420),
      PathProbe(isAnswer: false, nonce: 1, packetSize: 1419),
    ] {
      #expect(read(probe.payload) == probe)
    }
  }

  @Test func questionHasExactlyTheSizeAskedForAndTheAnswerIsSmall() throws {
    let source = try #require(IPv6Address("fe80::1"))
    for size in [62, 63, 80, 1280, 1419, 8920] {
      let question = PathProbe(isAnswer: false, nonce: 1, packetSize: size)
      let packet = BabelDatagram.encapsulate(question.payload, from: source, to: source)
      #expect(packet.count == size && matches(packet))
      let answer = PathProbe(isAnswer: true, nonce: 1, packetSize: size)
      let short = BabelDatagram.encapsulate(answer.payload, from: source, to: source)
      #expect(short.count == PathProbe.packetSize && matches(short))
    }
  }

  @Test func otherPacketsAreNotTakenForOne() throws {
    let probe = PathProbe(isAnswer: false, nonce: 1).payload
    for index in [0, 1, 3, 4, 5] {
      var changed = probe
      changed[index] ^= 1
      #expect(read(changed) == nil, "\(index)")
    }
    for length in 0..<probe.count { #expect(read(Array(probe[..<length])) == nil) }
    let direct = DirectProbe(isAnswer: false, nonce: 1, addresses: []).payload
    #expect(read(direct) == nil)
  }
}
