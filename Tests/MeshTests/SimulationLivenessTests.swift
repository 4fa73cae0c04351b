import Mesh
import Net
import Simulation
import Testing

/// How soon a network of real nodes notices what fails, and what it takes for no failure.
@Suite struct SimulationLivenessTests {
  /// Lets a host send to another every 10 ms, and that answer if `isAnswered`; returns when answers, or the packets
  /// themselves, arrived.
  @discardableResult
  private func converse(
    _ network: SimulatedNetwork, from start: Int, to end: Int, for duration: Duration,
    isAnswered: Bool = true,
    each step: () -> Void = {}
  ) -> [Instant] {
    var arrivals: [Instant] = []
    var (asked, answered) = (network.hosts[end].deliveries.count, network.hosts[start].deliveries.count)
    let finish = network.now.advanced(by: duration)
    var number = 0
    while network.now < finish {
      network.send(network.packet(from: start, to: end, number: number), from: start)
      network.run(for: .milliseconds(10))
      number += 1
      step()
      let new = network.hosts[end].deliveries.count - asked
      asked += new
      guard isAnswered else {
        if new > 0 { arrivals.append(network.now) }
        continue
      }
      for _ in 0..<new { network.send(network.packet(from: end, to: start, number: number), from: end) }
      if network.hosts[start].deliveries.count > answered { arrivals.append(network.now) }
      answered = network.hosts[start].deliveries.count
    }
    return arrivals
  }

  private func longestGap(_ arrivals: [Instant]) -> Duration {
    zip(arrivals, arrivals.dropFirst()).map { $0.duration(to: $1) }.max() ?? .seconds(1000)
  }

  /// How often a host has lost a neighbour.
  private func losses(_ network: SimulatedNetwork, at host: Int) -> Int {
    network.hosts[host].events.filter {
      if case .neighbourChanged(_, isUp: false) = $0 { true } else { false }
    }.count
  }

  private func settled(_ count: Int, seed: UInt64, _ quality: LinkQuality = LinkQuality()) -> SimulatedNetwork
  {
    let network = SimulatedNetwork(hostCount: count, seed: seed)
    for host in 0..<count { network.connect(host, (host + 1) % count, quality) }
    network.start()
    network.run(for: .seconds(6))
    network.expectConverged()
    return network
  }

  // MARK: Silent failures

  @Test(arguments: Seeds.first(6))
  func ringUnderTrafficGoesRoundASilentCutWithinHalfASecond(seed: UInt64) {
    let network = settled(4, seed: seed)
    converse(network, from: 0, to: 1, for: .seconds(1))
    network.cut(0, 1)
    let arrivals = converse(network, from: 0, to: 1, for: .seconds(3))
    #expect(
      longestGap([network.now.advanced(by: .seconds(-3))] + arrivals) < .milliseconds(600), network.comment)
    #expect(network.way(from: 0, to: 1) == [0, 3, 2, 1], network.comment)
    network.expectConverged()
    network.heal(0, 1)
    let healed = converse(network, from: 0, to: 1, for: .seconds(30))
    #expect(longestGap(healed) < .milliseconds(60), network.comment)
    #expect(network.way(from: 0, to: 1) == [0, 1], network.comment)
    network.expectConverged()
  }

  @Test(arguments: Seeds.first(4))
  func idleRingLeavesASilentCutWithinTwoSeconds(seed: UInt64) {
    let network = settled(4, seed: seed)
    network.cut(0, 1)
    network.run(for: .seconds(2))
    network.expectConverged()
  }

  @Test(arguments: Seeds.first(4))
  func senderLeavesALinkThatWorksTheOtherWayOnly(seed: UInt64) {
    let network = settled(3, seed: seed)
    network.links[.init(from: 0, to: 1)]?.isCut = true
    let arrivals = converse(network, from: 0, to: 1, for: .seconds(3), isAnswered: false)
    #expect(
      longestGap([network.now.advanced(by: .seconds(-3))] + arrivals) < .milliseconds(700), network.comment)
    network.expectConverged()
  }

  // MARK: No failures

  @Test(arguments: Seeds.first(4))
  func oneWayTrafficOverALossyLinkStaysOnIt(seed: UInt64) {
    let network = settled(3, seed: seed, LinkQuality(delay: .milliseconds(20), jitter: .milliseconds(20)))
    network.setQuality { $0.loss = 0.05 }
    let before = losses(network, at: 0)
    converse(network, from: 0, to: 1, for: .seconds(60), isAnswered: false) {
      #expect(network.way(from: 0, to: 1) == [0, 1], network.comment)
    }
    #expect(losses(network, at: 0) == before, network.comment)
    network.expectNoLoops()
  }

  @Test(arguments: Seeds.first(4))
  func lostHellosAloneCutNoLink(seed: UInt64) {
    let network = settled(3, seed: seed)
    // Idle: nothing but Hellos to lose, and one in ten is.
    network.setQuality { $0.loss = 0.1 }
    let before = network.hosts.indices.map { losses(network, at: $0) }.reduce(0, +)
    network.run(for: .seconds(300))
    let after = network.hosts.indices.map { losses(network, at: $0) }.reduce(0, +)
    // On each of three links two of three Hellos are missing every minute or so, and each end would notice.
    #expect(after - before <= 2, network.comment)
  }

  // MARK: Known failures

  @Test func linkThatTheKernelRefusesIsLeftAtOnce() throws {
    let network = settled(3, seed: Seeds.one)
    network.cut(0, 1)
    let daemon = try #require(network.hosts[0].daemon)
    let id = try #require(daemon.id(of: network.hosts[1].publicKey))
    let path = try #require(daemon.table.peer(id)?.path)
    network.handle(.unreachable(id, path), at: 0)
    #expect(network.way(from: 0, to: 1) != [0, 1], network.comment)
    network.run(for: .milliseconds(100))
    #expect(network.way(from: 0, to: 1) == [0, 2, 1], network.comment)
    network.heal(0, 1)
    network.run(for: .seconds(3))
    #expect(network.way(from: 0, to: 1) == [0, 1], network.comment)
  }

  @Test func interfaceThatGoesDownMakesItsPeersAnswer() {
    let network = settled(3, seed: Seeds.one)
    network.cut(0, 1)
    network.handle(.interfaceDown(2), at: 0)
    network.run(for: .milliseconds(400))
    // The other peer, behind the same interface, has answered.
    #expect(network.way(from: 0, to: 1) == [0, 2, 1], network.comment)
    #expect(network.way(from: 0, to: 2) == [0, 2], network.comment)
    #expect(losses(network, at: 0) == 1, network.comment)
  }

  @Test(arguments: Seeds.first(3))
  func trafficLeavesALinkThatFlaps(seed: UInt64) {
    let network = settled(3, seed: seed)
    var switches = 0
    var former = network.way(from: 0, to: 1)
    func count() {
      let way = network.way(from: 0, to: 1)
      if way != former { switches += 1 }
      former = way
    }
    for _ in 0..<20 {
      network.cut(0, 1)
      converse(network, from: 0, to: 1, for: .seconds(1), each: count)
      network.heal(0, 1)
      converse(network, from: 0, to: 1, for: .seconds(1), each: count)
    }
    // Forty changes of the link; after the third failure the other way is better in any case.
    #expect(switches <= 16, network.comment)
    #expect(former == [0, 2, 1], network.comment)
    network.run(for: .seconds(60))
    network.expectConverged()
    #expect(network.way(from: 0, to: 1) == [0, 1], network.comment)
  }

  @Test(arguments: Seeds.first(6))
  func nodeThatComesAndGoesIsFoundByAll(seed: UInt64) {
    let network = SimulationTests.chain(4, seed: seed)
    network.run(for: .seconds(3))
    for _ in 0..<3 {
      network.stop(0, gracefully: true)
      network.run(for: .milliseconds(300))
      network.start(0)
      network.run(for: .seconds(1))
      let peers = network.hosts[0].configuration.peers
      network.reconfigure(0) { $0.peers = [] }
      network.run(for: .milliseconds(300))
      #expect(network.way(from: 3, to: 0) == nil, network.comment)
      network.reconfigure(0) { $0.peers = peers }
      network.run(for: .seconds(1))
      #expect(network.way(from: 3, to: 0) == [3, 2, 1, 0], network.comment)
      // An announced end is no failure: nobody holds it against the link.
      #expect(network.metric(at: 1, to: 0) == 96, network.comment)
    }
  }

  @Test(arguments: Seeds.first(6))
  func trafficCutsAndLossMakeNoLoop(seed: UInt64) {
    let (network, edges) = SimulationTests.randomGraph(seed: seed)
    var random = SplitMix64(seed: ~seed)
    network.start()
    network.run(for: .seconds(3))
    for _ in 0..<8 {
      let (a, b) = edges[Int(random.next() % UInt64(edges.count))]
      switch random.next() % 4 {
      case 0: network.links[.init(from: a, to: b)]?.isCut = true
      case 1: network.healAll()
      default: network.cut(a, b)
      }
      let (from, to) = (
        Int(random.next() % UInt64(network.hosts.count)), Int(random.next() % UInt64(network.hosts.count))
      )
      guard from != to else { continue }
      converse(network, from: from, to: to, for: .seconds(2))
    }
    network.healAll()
    network.setQuality { ($0.loss, $0.duplication, $0.reordering) = (0, 0, 0) }
    network.run(for: .seconds(60))
    network.expectConverged()
    network.expectTraffic()
  }
}
