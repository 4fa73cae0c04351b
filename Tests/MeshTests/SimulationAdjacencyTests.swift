import Mesh
import Net
import Noise
import Simulation
import Testing

/// Nodes with more peers than they want Babel neighbours: everybody is everybody's peer.
@Suite struct SimulationAdjacencyTests {
  private static let count = 10
  private static let limit = 3

  /// A full mesh that has had time to settle.
  private static func mesh(seed: UInt64, _ change: (SimulatedNetwork) -> Void = { _ in }) -> SimulatedNetwork
  {
    let network = SimulatedNetwork(hostCount: count, seed: seed)
    var random = SplitMix64(seed: seed)
    for a in 0..<count {
      for b in a + 1..<count {
        network.connect(a, b, LinkQuality(delay: .milliseconds(Int(2 + random.next() % 30))))
      }
    }
    for host in 0..<count { network.configure(host) { $0.interface.adjacencies = limit } }
    change(network)
    network.start()
    network.run(for: .seconds(60))
    return network
  }

  private func neighbours(_ network: SimulatedNetwork, of host: Int) -> [Int] {
    let peers = network.hosts[host].daemon?.node.status(at: network.now).peers ?? []
    return peers.filter { $0.neighbour.map { $0.cost != .max } ?? false }.compactMap { peer in
      network.hosts.firstIndex { $0.publicKey == peer.publicKey }
    }
  }

  /// A pair of hosts that are no neighbours.
  private func strangers(_ network: SimulatedNetwork) throws -> (Int, Int) {
    for a in network.hosts.indices {
      let near = neighbours(network, of: a)
      if let b = network.hosts.indices.first(where: { $0 != a && !near.contains($0) }) { return (a, b) }
    }
    throw Missing()
  }

  private struct Missing: Error {}

  private func expectAllReachable(_ network: SimulatedNetwork, _ location: SourceLocation = #_sourceLocation)
  {
    for family in AddressFamily.allCases {
      for a in network.hosts.indices {
        for b in network.hosts.indices where a != b {
          #expect(
            network.way(from: a, to: b, family) != nil, "\(a) to \(b), \(network.comment)",
            sourceLocation: location)
        }
      }
    }
    network.expectNoLoops(location)
  }

  /// Sends a packet every 10 ms, and returns when the first and the last arrived, and those that took more than one hop.
  private func stream(
    _ network: SimulatedNetwork, from a: Int, to b: Int, for duration: Duration
  ) -> (arrivals: [Int], relayed: [Int]) {
    let before = network.hosts[b].deliveries.count
    let total = Int(duration / .milliseconds(10))
    for number in 0..<total {
      network.send(network.packet(from: a, to: b, number: number), from: a)
      network.run(for: .milliseconds(10))
    }
    network.run(for: .seconds(1))
    var arrivals: [Int] = []
    var relayed: [Int] = []
    for packet in network.hosts[b].packets[before...] {
      let number = Int(packet[22]) << 8 | Int(packet[23])
      arrivals.append(number)
      if packet != network.packet(from: a, to: b, number: number) { relayed.append(number) }
    }
    return (arrivals, relayed)
  }

  @Test(arguments: Seeds.first(2))
  func everybodyHasFewNeighboursAndReachesEverybody(seed: UInt64) {
    let network = Self.mesh(seed: seed)
    for host in network.hosts.indices {
      let count = neighbours(network, of: host).count
      #expect((Self.limit - 1...2 * Self.limit + 2).contains(count), "\(host): \(count), \(network.comment)")
    }
    expectAllReachable(network)
    for host in 1..<Self.count { network.send(network.packet(from: 0, to: host), from: 0) }
    network.run(for: .seconds(1))
    for host in 1..<Self.count { #expect(network.hosts[host].deliveries.count == 1, network.comment) }
  }

  /// The hub has many more neighbours than it wants, for it is the only way to each of them.
  @Test(arguments: Seeds.first(2))
  func hubOfAStarRefusesNobody(seed: UInt64) {
    let network = SimulatedNetwork(hostCount: 12, seed: seed)
    for leaf in 1..<12 { network.connect(0, leaf, LinkQuality(delay: .milliseconds(5))) }
    network.configure(0) { $0.interface.adjacencies = Self.limit }
    network.start()
    network.run(for: .seconds(90))
    expectAllReachable(network)
    network.expectConverged()
  }

  /// Leaves with two hubs may be refused by one, which is told and does not take the hub for one without Babel.
  @Test(arguments: Seeds.first(2))
  func whoeverIsRefusedByAHubClaimsNothingOfIt(seed: UInt64) {
    let network = SimulatedNetwork(hostCount: 16, seed: seed)
    for hub in 0..<2 {
      for leaf in 2..<16 { network.connect(hub, leaf, LinkQuality(delay: .milliseconds(5))) }
      network.configure(hub) { $0.interface.adjacencies = Self.limit }
    }
    network.start()
    for _ in 0..<4 {
      network.run(for: .seconds(90))
      expectAllReachable(network)
    }
    network.expectConverged()
  }

  @Test func fewPeersAreAllNeighbours() {
    let network = Self.mesh(seed: Seeds.one) { network in
      for host in 0..<Self.count { network.configure(host) { $0.interface.adjacencies = Self.count - 1 } }
    }
    for host in network.hosts.indices {
      #expect(neighbours(network, of: host).count == Self.count - 1, network.comment)
    }
  }

  @Test(arguments: Seeds.first(2))
  func trafficBetweenStrangersTakesTheDirectWay(seed: UInt64) throws {
    let network = Self.mesh(seed: seed)
    let (a, b) = try strangers(network)
    let (arrivals, relayed) = stream(network, from: a, to: b, for: .seconds(4))
    // None is lost or comes twice, whichever way it goes.
    #expect(arrivals.sorted() == Array(0..<400), network.comment)
    #expect(relayed.first == 0 && relayed.allSatisfy { $0 < 200 }, "\(relayed.last ?? 0), \(network.comment)")
    #expect(network.sourceRefusals == 0)
    network.expectNoLoops()
    let address = network.hosts[b].addresses[1]
    let daemon = try #require(network.hosts[a].daemon)
    let explanation = daemon.node.explain(address, at: network.now)
    #expect(explanation.target == .peer(network.hosts[b].publicKey) && explanation.basis == .shortcut)
  }

  @Test(arguments: Seeds.first(1), [true, false])
  func aShortcutThatBreaksIsLeftAtOnce(seed: UInt64, isOneWay: Bool) throws {
    let network = Self.mesh(seed: seed)
    let (a, b) = try strangers(network)
    _ = stream(network, from: a, to: b, for: .seconds(2))
    guard !neighbours(network, of: a).contains(b) else { return }
    if isOneWay {
      network.links[SimulatedNetwork.Direction(from: a, to: b)]?.isCut = true
    } else {
      network.cut(a, b)
    }
    let (arrivals, relayed) = stream(network, from: a, to: b, for: .seconds(6))
    let first = try #require(arrivals.first)
    // 10 ms each: half a second when nothing is heard, and one more if the other direction works.
    #expect(first <= (isOneWay ? 180 : 80), "\(first), \(network.comment)")
    #expect(
      Set(arrivals).isSuperset(of: Set(first..<600)) && arrivals.count == Set(arrivals).count, network.comment
    )
    #expect(relayed.contains(first))
    network.heal(a, b)
    network.run(for: .seconds(30))
    let (_, relayedAfter) = stream(network, from: a, to: b, for: .seconds(8))
    network.expectNoLoops()
    // Neighbours go by Babel's metrics.
    guard !neighbours(network, of: a).contains(b) else { return }
    #expect(!relayedAfter.contains(799), network.comment)
  }

  @Test func ownerThatWouldRefuseUsIsReachedByRelaysOnly() throws {
    let reference = Self.mesh(seed: 3)
    let (a, b) = try strangers(reference)
    let key = reference.hosts[a].publicKey
    let network = Self.mesh(seed: 3) { network in
      network.configure(b) { configuration in
        for index in configuration.peers.indices where configuration.peers[index].publicKey == key {
          configuration.peers[index].allowedIPs = []
        }
      }
    }
    guard !neighbours(network, of: a).contains(b) else { return }
    let (arrivals, relayed) = stream(network, from: a, to: b, for: .seconds(4))
    #expect(arrivals.sorted() == Array(0..<400))
    #expect(relayed.count == 400)
    #expect(network.sourceRefusals == 0)
  }

  @Test(arguments: Seeds.first(2))
  func deadNeighboursAreReplacedAndTheNetworkStaysWhole(seed: UInt64) {
    let network = Self.mesh(seed: seed)
    let dead = Set(neighbours(network, of: 0).prefix(3))
    for host in dead { network.stop(host) }
    network.run(for: .seconds(60))
    for a in network.hosts.indices where !dead.contains(a) {
      for b in network.hosts.indices where a != b && !dead.contains(b) {
        #expect(network.way(from: a, to: b) != nil, "\(a) to \(b), \(network.comment)")
      }
    }
    network.expectNoLoops()
  }
}
