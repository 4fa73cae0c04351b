import Mesh
import Net
import Simulation
import Testing

/// Everything that may happen to a network, in random order; afterwards it must be as good as new.
@Suite struct SimulationChaosTests {
  // 52: nodes that lost power start again, and a retraction of everything is lost.
  @Test(arguments: Seeds.first(3, and: 52))
  func whateverHappensTheNetworkRecovers(seed: UInt64) {
    let (network, edges) = SimulationTests.randomGraph(seed: seed)
    var random = SplitMix64(seed: seed &* 31 &+ 7)
    network.controlDelay = .milliseconds(3)
    network.start()
    for step in 0..<25 {
      let host = Int(random.next() % UInt64(network.hosts.count))
      let (a, b) = edges[Int(random.next() % UInt64(edges.count))]
      disturb(network, host, (a, b), Int(random.next() % 9))
      network.send(network.packet(from: a, to: host, number: step), from: a)
      network.run(for: .milliseconds(Int(50 + random.next() % 4000)))
    }
    network.setQuality { ($0.loss, $0.duplication, $0.reordering) = (0, 0, 0) }
    network.healAll()
    for host in network.hosts {
      if host.daemon == nil { network.start(host.number) }
      network.handle(.link(isUp: true), at: host.number)
    }
    network.run(for: .seconds(90))
    network.expectConverged()
    network.expectTraffic()
  }

  private func disturb(_ network: SimulatedNetwork, _ host: Int, _ edge: (Int, Int), _ kind: Int) {
    switch kind {
    case 0: network.cut(edge.0, edge.1)
    case 1: network.links[.init(from: edge.0, to: edge.1)]?.isCut = true
    case 2: network.healAll()
    case 3: network.stop(host)
    case 4: network.stop(host, gracefully: true)
    case 5: network.hosts.filter { $0.daemon == nil }.forEach { network.start($0.number) }
    case 6:
      network.handle(.link(isUp: false), at: host)
      network.run(for: .seconds(1))
      network.handle(.link(isUp: true), at: host)
    case 7:
      // Only one host ever moves: two that move at once would never find each other again.
      network.move(0)
    default:
      let peer = network.hosts[host].configuration.peers.first
      network.reconfigure(host) { $0.peers.removeFirst() }
      network.run(for: .milliseconds(700))
      network.reconfigure(host) { $0.peers += [peer].compactMap(\.self) }
    }
  }
}
