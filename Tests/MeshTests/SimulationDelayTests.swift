import Mesh
import Net
import Simulation
import Testing

/// Delay in the choice of paths, in running networks.
@Suite struct SimulationDelayTests {
  /// 0 - 2 - 1 and 0 - 3 - 1: two hosts with two disjoint paths, of 10 and 40 ms each way.
  private func twoPaths(jitter: Duration = .zero) -> SimulatedNetwork {
    let network = SimulatedNetwork(hostCount: 4, seed: Seeds.one)
    for relay in [2, 3] {
      network.connect(0, relay)
      network.connect(relay, 1)
    }
    setPath(network, over: 2, delay: .milliseconds(10), jitter: jitter)
    setPath(network, over: 3, delay: .milliseconds(40), jitter: jitter)
    network.start()
    network.run(for: .seconds(20))
    return network
  }

  private func setPath(
    _ network: SimulatedNetwork, over relay: Int, delay: Duration, jitter: Duration = .zero
  ) {
    let quality = LinkQuality(delay: (delay - jitter) / 2, jitter: jitter)
    network.link(0, relay, quality)
    network.link(relay, 1, quality)
  }

  /// How often host 0 has chosen another way to host 1.
  private func changes(_ network: SimulatedNetwork) -> Int {
    let prefix = IPPrefix(host: network.hosts[1].addresses[1])
    return network.hosts[0].events.count {
      if case .routeSwitched(let record) = $0 { record.prefix == prefix } else { false }
    }
  }

  @Test("S1.4: traffic follows the shorter delay, and none is lost when that changes")
  func trafficFollowsTheShorterDelay() {
    let network = twoPaths()
    #expect(network.way(from: 0, to: 1) == [0, 2, 1], network.comment)
    let before = (changes: changes(network), deliveries: network.hosts[1].deliveries.count)
    var sent = 0
    func run(until end: Duration, while condition: () -> Bool) -> Duration {
      let start = network.now
      while condition(), start.duration(to: network.now) < end {
        network.send(network.packet(from: 0, to: 1, number: sent), from: 0)
        sent += 1
        network.run(for: .milliseconds(10))
      }
      return start.duration(to: network.now)
    }
    setPath(network, over: 2, delay: .milliseconds(80))
    let moved = run(until: .seconds(20)) { network.way(from: 0, to: 1) == [0, 2, 1] }
    #expect(moved < .seconds(10) && network.way(from: 0, to: 1) == [0, 3, 1], network.comment)
    setPath(network, over: 2, delay: .milliseconds(10))
    _ = run(until: .seconds(60)) { true }
    #expect(network.way(from: 0, to: 1) == [0, 2, 1], network.comment)
    network.run(for: .seconds(1))
    #expect(changes(network) - before.changes == 2, network.comment)
    #expect(network.hosts[1].deliveries.count - before.deliveries == sent, network.comment)
  }

  @Test("S1.5: jitter of 5 ms for ten minutes changes the path once at most")
  func jitterChangesThePathOnceAtMost() {
    let network = twoPaths(jitter: .milliseconds(5))
    let before = changes(network)
    network.run(for: .seconds(600))
    #expect(changes(network) - before <= 1, network.comment)
  }

  @Test("S3.4: the metric follows the measured delay, and both are shown")
  func metricFollowsTheDelay() throws {
    let network = twoPaths()
    let daemon = try #require(network.hosts[0].daemon)
    let status = daemon.node.status(at: network.now)
    let neighbours = status.peers.compactMap(\.neighbour)
    try #require(neighbours.count == 2)
    for (neighbour, delay) in zip(neighbours, [10, 40]) {
      let roundTrip = try #require(neighbour.roundTrip)
      #expect(abs(roundTrip.nanoseconds / 1_000_000 - Int64(delay)) <= 2, network.comment)
    }
    #expect(neighbours[0].cost < neighbours[1].cost, network.comment)
    let text = ShowText(now: 0).interface(status)
    for neighbour in neighbours {
      let costs = "rxcost \(neighbour.rxcost) txcost \(neighbour.txcost) cost \(neighbour.cost) rtt "
      #expect(text.contains(costs))
    }
  }

  @Test("S3.5: a full mesh of ten has one interface and one configuration per node")
  func fullMeshOfTen() {
    let network = SimulatedNetwork(hostCount: 10, seed: Seeds.one)
    for a in 0..<10 { for b in 0..<a { network.connect(a, b) } }
    network.start()
    network.run(for: .seconds(5))
    for host in network.hosts {
      let peers = host.daemon?.node.status(at: network.now).peers ?? []
      #expect(peers.count == 9 && peers.allSatisfy { ($0.neighbour?.cost ?? .max) < .max }, network.comment)
    }
    network.expectConverged()
    network.expectTraffic()
  }
}
