import Mesh
import Net
import Noise
import Simulation
import Testing

/// Several endpoints of one peer: which is used, and how soon another one is (S5.3–S5.15).
@Suite struct SimulationPathTests {
  private static let slow = LinkQuality(delay: .milliseconds(20))
  private static let quick = LinkQuality(delay: .milliseconds(5))

  /// 0 knows two endpoints of 1, the first at the end of the link, the other at that of the wire.
  private struct Pair {
    let network: SimulatedNetwork
    let first: Endpoint
    let second: Endpoint

    init(
      _ link: LinkQuality, _ wire: LinkQuality, over family: AddressFamily = .v4, babel: Bool = true,
      seed: UInt64 = Seeds.one
    ) {
      network = SimulatedNetwork(hostCount: 2, seed: seed)
      first = network.hosts[1].endpoint
      second = network.addEndpoint(to: 1, family)
      network.connect(0, 1, link)
      network.wire(network.hosts[0].endpoint, second, wire)
      for host in 0..<2 { network.configure(host) { $0.interface.babel = babel } }
      network.start()
    }

    /// Where a host sends to the other.
    func current(_ host: Int = 0) -> Path? {
      network.hosts[host].daemon?.entry(of: network.hosts[1 - host].publicKey)?.path
    }

    func cutFirst() { network.cut(0, 1) }

    func cutSecond() {
      var dead = LinkQuality()
      dead.isCut = true
      network.wire(network.hosts[0].endpoint, second, dead)
    }

    /// Sends both ways every 10 ms for a while; how many packets arrived nowhere.
    @discardableResult
    func exchange(for duration: Duration) -> Int {
      let end = network.now.advanced(by: duration)
      var sent = 0
      let before = network.hosts.map(\.deliveries.count).reduce(0, +)
      while network.now < end {
        network.send(network.packet(from: 0, to: 1, number: sent), from: 0)
        network.send(network.packet(from: 1, to: 0, number: sent), from: 1)
        sent += 2
        network.run(for: .milliseconds(10))
      }
      network.run(for: .milliseconds(100))
      return sent - (network.hosts.map(\.deliveries.count).reduce(0, +) - before)
    }

    /// How long it takes until packets arrive both ways.
    func timeToReach(limit: Duration) -> Duration? {
      let start = network.now
      while network.now < start.advanced(by: limit) {
        let before = network.hosts.map(\.deliveries.count)
        network.send(network.packet(from: 0, to: 1), from: 0)
        network.send(network.packet(from: 1, to: 0), from: 1)
        network.run(for: .milliseconds(10))
        let after = network.hosts.map(\.deliveries.count)
        if after[0] > before[0], after[1] > before[1] { return start.duration(to: network.now) }
      }
      return nil
    }

    /// How many datagrams 0 sends during `body`.
    func datagrams(during body: () -> Void) -> Int {
      var count = 0
      network.tap = { from, _, _ in count += from == 0 ? 1 : 0 }
      body()
      network.tap = nil
      return count
    }

    /// How often Babel has found the link unusable.
    var losses: Int {
      network.hosts.flatMap(\.events).count {
        if case .neighbourChanged(_, isUp: false) = $0 { true } else { false }
      }
    }

    func use(_ endpoint: Endpoint) -> Bool { current()?.remote == endpoint }
  }

  // MARK: The race

  @Test func quickerPathWinsTheFirstHandshakeIfByMoreThanTheAdvantage() {
    let much = Pair(Self.slow, Self.quick, babel: false)
    much.exchange(for: .seconds(1))
    #expect(much.use(much.second), much.network.comment)
    let little = Pair(LinkQuality(delay: .milliseconds(7)), Self.quick, babel: false)
    little.exchange(for: .seconds(1))
    #expect(little.use(little.first), little.network.comment)
  }

  @Test func copiesLeaveTenMillisecondsLaterAndAreTheSame() {
    let pair = Pair(Self.slow, Self.quick, babel: false)
    var initiations: [(time: Instant, octets: [UInt8])] = []
    pair.network.tap = { from, _, octets in
      if from == 0, octets.count == HandshakeInitiation.size {
        initiations.append((pair.network.now, octets))
      }
    }
    let begin = pair.network.now
    pair.network.send(pair.network.packet(from: 0, to: 1), from: 0)
    pair.network.run(for: .seconds(1))
    #expect(initiations.count == 2, pair.network.comment)
    #expect(Set(initiations.map(\.octets)).count == 1, pair.network.comment)
    let delays = initiations.map { begin.duration(to: $0.time) }
    #expect(
      delays[0] < .milliseconds(1)
        && abs(delays[1].nanoseconds - delays[0].nanoseconds - 10_000_000) < 100_000)
  }

  @Test func noCopyLeavesWhenTheResponseIsQuicker() {
    let pair = Pair(LinkQuality(delay: .milliseconds(2)), Self.quick, babel: false)
    var initiations = 0
    pair.network.tap = { from, _, octets in if octets.count == HandshakeInitiation.size { initiations += 1 } }
    pair.network.send(pair.network.packet(from: 0, to: 1), from: 0)
    pair.network.run(for: .seconds(1))
    #expect(initiations == 1, pair.network.comment)
  }

  @Test func deadEndpointsCostNothingButTheAdvantage() {
    let network = SimulatedNetwork(hostCount: 2, seed: Seeds.one)
    var dead = LinkQuality()
    dead.isCut = true
    let others = (0..<3).map { _ in network.addEndpoint(to: 1) }
    network.connect(0, 1, dead)
    for endpoint in others { network.wire(network.hosts[0].endpoint, endpoint, dead) }
    network.wire(network.hosts[0].endpoint, others[2], Self.slow)
    for host in 0..<2 { network.configure(host) { $0.interface.babel = false } }
    network.start()
    network.send(network.packet(from: 0, to: 1), from: 0)
    network.run(for: .milliseconds(20 + 20 + 10 + 20 + 5))
    #expect(network.hosts[1].deliveries.count == 1, network.comment)
  }

  @Test func everyCopyIsAnsweredByAMeshdWhereItCameFrom() {
    let pair = Pair(Self.slow, LinkQuality(delay: .milliseconds(60)))
    var responses: [[UInt8]] = []
    pair.network.tap = { from, _, octets in
      if from == 1, octets.count == HandshakeResponse.size { responses.append(octets) }
    }
    pair.network.run(for: .seconds(2))
    #expect(responses.count == 2 && Set(responses).count == 1, pair.network.comment)
  }

  // MARK: Choosing

  @Test func pathThatIsMuchBetterTakesOverWithoutLoss() {
    let pair = Pair(Self.slow, LinkQuality(delay: .milliseconds(18)))
    pair.exchange(for: .seconds(5))
    #expect(pair.use(pair.first), pair.network.comment)
    pair.network.wire(pair.network.hosts[0].endpoint, pair.second, LinkQuality(delay: .milliseconds(5)))
    #expect(pair.exchange(for: .seconds(15)) == 0, pair.network.comment)
    #expect(pair.use(pair.second), pair.network.comment)
    #expect(pair.current(1)?.local == pair.second.address, pair.network.comment)
    #expect(pair.losses == 0, pair.network.comment)
  }

  @Test(arguments: Seeds.first(3))
  func pathThatIsALittleBetterWithJitterDoesNot(seed: UInt64) {
    let jittery = LinkQuality(delay: .milliseconds(15), jitter: .milliseconds(5))
    let pair = Pair(LinkQuality(delay: .milliseconds(17), jitter: .milliseconds(5)), jittery, seed: seed)
    pair.exchange(for: .seconds(5))
    let path = pair.current()
    for _ in 0..<12 {
      pair.exchange(for: .seconds(5))
      #expect(pair.current() == path, pair.network.comment)
    }
  }

  @Test func lossyPathIsLeft() {
    let pair = Pair(Self.quick, Self.slow)
    pair.exchange(for: .seconds(3))
    #expect(pair.use(pair.first), pair.network.comment)
    pair.network.link(0, 1, LinkQuality(delay: .milliseconds(5), loss: 0.15))
    pair.exchange(for: .seconds(20))
    #expect(pair.use(pair.second), pair.network.comment)
  }

  @Test func probesDoNotMoveThePeer() {
    let pair = Pair(Self.quick, Self.slow)
    pair.exchange(for: .seconds(3))
    let path = pair.current(1)
    // Both paths are asked all the time.
    for _ in 0..<20 {
      pair.network.run(for: .seconds(1))
      #expect(pair.current(1) == path, pair.network.comment)
    }
  }

  // MARK: Failing

  @Test(arguments: Seeds.first(4))
  func silentPathIsLeftUnderTraffic(seed: UInt64) throws {
    let pair = Pair(Self.quick, Self.slow, seed: seed)
    pair.exchange(for: .seconds(5))
    #expect(pair.use(pair.first), pair.network.comment)
    pair.cutFirst()
    let time = pair.timeToReach(limit: .seconds(5))
    #expect(time.map { $0 <= .milliseconds(500) } == true, "\(time as Any), \(pair.network.comment)")
    pair.exchange(for: .seconds(2))
    #expect(pair.losses == 0, pair.network.comment)
    pair.network.heal(0, 1)
    #expect(pair.exchange(for: .seconds(30)) == 0, pair.network.comment)
    #expect(pair.use(pair.first), pair.network.comment)
  }

  @Test func silentPathIsLeftWithoutTrafficBeforeBabelLosesTheLink() {
    let pair = Pair(Self.quick, Self.slow)
    pair.network.run(for: .seconds(30))
    pair.cutFirst()
    pair.network.run(for: .seconds(10))
    #expect(pair.use(pair.second), pair.network.comment)
    #expect(pair.losses == 0, pair.network.comment)
  }

  @Test func babelHearsOfAFailureWhenNoPathIsLeft() {
    let pair = Pair(Self.quick, Self.slow)
    pair.exchange(for: .seconds(5))
    pair.cutFirst()
    pair.cutSecond()
    pair.exchange(for: .seconds(2))
    #expect(pair.losses == 2, pair.network.comment)
  }

  /// A host that answers late has too much to do already.
  @Test func lateAnswersAreNoReasonToAskMore() {
    let counts = [Duration.milliseconds(20), .milliseconds(1500)].map { delay in
      let pair = Pair(LinkQuality(delay: delay), LinkQuality(delay: delay * 5 / 4))
      pair.exchange(for: .seconds(60))
      return pair.datagrams { #expect(pair.exchange(for: .seconds(20)) == 0, pair.network.comment) }
    }
    #expect(counts[1] <= counts[0], "\(counts)")
  }

  @Test func deadPeerIsAskedEverMoreSeldom() {
    let pair = Pair(Self.quick, Self.slow)
    pair.exchange(for: .seconds(5))
    pair.cutFirst()
    pair.cutSecond()
    pair.exchange(for: .seconds(5))
    let count = pair.datagrams { pair.network.run(for: .seconds(60)) }
    #expect(count < 500, pair.network.comment)
  }

  @Test func pathThatTheKernelRefusesIsLeftAtOnce() throws {
    for babel in [true, false] {
      let pair = Pair(Self.quick, Self.slow, babel: babel)
      pair.exchange(for: .seconds(6))
      #expect(pair.use(pair.first), pair.network.comment)
      let daemon = try #require(pair.network.hosts[0].daemon)
      let id = try #require(daemon.id(of: pair.network.hosts[1].publicKey))
      pair.network.handle(.unreachable(id, try #require(pair.current())), at: 0)
      #expect(pair.use(pair.second), pair.network.comment)
      #expect(pair.losses == 0, pair.network.comment)
    }
  }

  /// The kernel goes on sending over IPv6, from a link-local address that no router passes on.
  @Test func pathOverIPv6IsLeftWithTheLastIPv6Address() {
    for babel in [true, false] {
      let pair = Pair(Self.slow, Self.quick, over: .v6, babel: babel)
      pair.exchange(for: .seconds(6))
      #expect(pair.use(pair.second), pair.network.comment)
      pair.network.handle(.uplinks([], maximumMTU: 1500, hasIPv6: false), at: 0)
      #expect(pair.use(pair.first), pair.network.comment)
      #expect(pair.exchange(for: .seconds(3)) == 0, pair.network.comment)
      #expect(pair.losses == 0, pair.network.comment)
    }
  }

  /// What was asked while there was another network is no loss of this one.
  @Test func briefAbsenceIsNotHeldAgainstThePath() {
    let pair = Pair(Self.quick, LinkQuality(delay: .milliseconds(8)))
    pair.exchange(for: .seconds(5))
    #expect(pair.use(pair.first), pair.network.comment)
    for _ in 0..<4 {
      pair.cutFirst()
      pair.network.handle(.networkChanged, at: 0)
      pair.network.run(for: .milliseconds(15))
      pair.network.heal(0, 1)
      pair.network.handle(.networkChanged, at: 0)
      pair.network.run(for: .milliseconds(100))
    }
    for _ in 0..<8 {
      pair.exchange(for: .seconds(1))
      #expect(pair.use(pair.first), pair.network.comment)
    }
  }

  @Test func forgedErrorMovesNothing() {
    for babel in [true, false] {
      let pair = Pair(Self.quick, Self.slow, babel: babel)
      pair.exchange(for: .seconds(6))
      for _ in 0..<20 {
        pair.network.handle(.icmp(pair.first, .unreachable), at: 0)
        pair.exchange(for: .milliseconds(500))
        #expect(pair.use(pair.first), pair.network.comment)
      }
    }
  }

  @Test func stockPeerIsReachedByAnotherPathWhenItsTimerHasRunOut() {
    let pair = Pair(Self.quick, Self.slow, babel: false)
    pair.exchange(for: .seconds(6))
    pair.cutFirst()
    let time = pair.timeToReach(limit: .seconds(30))
    #expect(time.map { $0 <= .seconds(16) } == true, "\(time as Any), \(pair.network.comment)")
    #expect(pair.use(pair.second), pair.network.comment)
  }

  @Test func pinnedPathIsUsedAsLongAsItWorks() {
    let pair = Pair(Self.quick, Self.slow)
    pair.exchange(for: .seconds(5))
    pair.network.reconfigure(0) { $0.peers[0].pinned = pair.second }
    pair.exchange(for: .seconds(10))
    #expect(pair.use(pair.second), pair.network.comment)
    pair.cutSecond()
    #expect(pair.timeToReach(limit: .seconds(1)) != nil, pair.network.comment)
    #expect(pair.use(pair.first), pair.network.comment)
    pair.network.wire(pair.network.hosts[0].endpoint, pair.second, Self.slow)
    pair.exchange(for: .seconds(30))
    #expect(pair.use(pair.second), pair.network.comment)
    pair.network.reconfigure(0) { $0.peers[0].pinned = nil }
    pair.exchange(for: .seconds(10))
    #expect(pair.use(pair.first), pair.network.comment)
  }
}
