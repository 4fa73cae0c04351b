import Babel
import Mesh
import Net
import Noise
import Simulation
import Testing

/// Who owns what (`decisions.md` 13), in running networks; named by the statements of `field.md` they hold up.
@Suite struct SimulationOwnershipTests {
  private func prefixes(toward peer: Int, at host: Int, _ network: SimulatedNetwork) -> [IPPrefix] {
    let status = network.hosts[host].daemon?.node.status(at: network.now)
    return status?.peers.first { $0.publicKey == network.hosts[peer].publicKey }?.allowedIPs ?? []
  }

  private func refusals(_ network: SimulatedNetwork, _ host: Int, _ reason: String) -> UInt64 {
    let status = network.hosts[host].daemon?.node.status(at: network.now)
    return status?.drops.first { $0.reason == reason }?.count ?? 0
  }

  private func arrives(_ network: SimulatedNetwork, from start: Int, to end: Int) -> Bool {
    let before = network.hosts[end].deliveries.count
    network.send(network.packet(from: start, to: end), from: start)
    network.run(for: .seconds(1))
    return network.hosts[end].deliveries.count == before + 1
  }

  // MARK: Statements

  @Test("S1.6: a prefix is listed under the peer it is behind now")
  func prefixIsListedUnderThePeerItIsBehindNow() throws {
    let network = SimulatedNetwork(hostCount: 5, seed: Seeds.one)
    for peer in 1..<5 { network.connect(0, peer) }
    network.start()
    network.run(for: .seconds(3))
    let prefix = try #require(IPPrefix("10.50.0.0/16"))
    for host in [1, 3] {
      network.reconfigure(host) { $0.interface.announce = [Configuration.Announcement(prefix)] }
      network.run(for: .seconds(1))
      for peer in 1..<5 {
        #expect(prefixes(toward: peer, at: 0, network).contains(prefix) == (peer == host), network.comment)
      }
      network.reconfigure(host) { $0.interface.announce = [] }
      network.run(for: .seconds(1))
    }
  }

  @Test("S2.1, S4.6: a peer given at run time is a neighbour within a second, and gone within another")
  func peerGivenAtRunTimeIsANeighbourWithinASecond() {
    let network = SimulatedNetwork(hostCount: 4, seed: Seeds.one)
    network.connect(0, 1)
    network.connect(1, 2)
    network.link(2, 3)
    let settings = network.hosts[2].peerSettings()
    network.configure(3) { $0.peers = [settings] }
    network.start()
    network.run(for: .seconds(3))
    let added = network.hosts[3].peerSettings()
    let key = network.hosts[3].publicKey
    network.handle(
      .configure(
        network.hosts[2].configuration.applying([
          .peer(key), .allowedIP(added.allowedIPs[0]), .allowedIP(added.allowedIPs[1]),
          .endpoint(added.endpoints[0]),
        ])), at: 2)
    network.run(for: .seconds(1))
    #expect(network.metric(at: 2, to: 3) == 96 && network.metric(at: 0, to: 3) == 288, network.comment)
    network.handle(.configure(network.hosts[2].configuration), at: 2)
    network.run(for: .seconds(1))
    #expect((0..<3).allSatisfy { network.metric(at: $0, to: 3) == nil }, network.comment)
  }

  @Test("S2.1: a removed peer hears the farewell")
  func removedPeerHearsTheFarewell() {
    let network = SimulationTests.ring(4)
    network.run(for: .seconds(4))
    let removed = network.hosts[1].publicKey
    network.reconfigure(0) { $0.peers.removeAll { $0.publicKey == removed } }
    // Far less than the 2.5 s after which Hellos are missed.
    network.run(for: .milliseconds(200))
    #expect(network.way(from: 1, to: 0) == [1, 2, 3, 0], network.comment)
    #expect(network.metric(at: 1, to: 0) == 288, network.comment)
  }

  @Test("S2.3: the first host prefix of each family is the peer's own address, in the order configured")
  func firstHostPrefixOfEachFamilyIsTheOwnAddress() throws {
    let list = ["10.9.0.0/24", "10.0.0.2/32", "10.0.0.1/32", "fd00::/64", "fd00::2/128", "fd00::1/128"]
    let prefixes = try list.map { try #require(IPPrefix($0)) }
    var random = SplitMix64(seed: 3)
    let key = try #require(PrivateKey.generate(using: &random)).publicKey
    var peer = Configuration.Peer(publicKey: key)
    peer.allowedIPs = prefixes
    #expect(peer.ownAddresses.map(\.description) == ["10.0.0.2", "fd00::2"])
    // And the order in which they came over UAPI.
    let configuration = Configuration().applying([.peer(key)] + prefixes.map { .allowedIP($0) })
    #expect(configuration.peers.first?.ownAddresses == peer.ownAddresses)
  }

  @Test("S2.4: a peer's own addresses stay reachable through a third node, and are taken from it")
  func ownAddressesStayReachableThroughAThirdNode() {
    let network = SimulationTests.ring(3)
    network.run(for: .seconds(3))
    network.cut(0, 1)
    network.run(for: .seconds(5))
    #expect(network.way(from: 0, to: 1) == [0, 2, 1], network.comment)
    network.expectConverged()
    network.expectTraffic()
    // Also when the session has been given up, and a third party cannot take advantage of it.
    network.run(for: .seconds(300))
    let own = network.hosts[1].addresses.map { IPPrefix(host: $0) }
    network.reconfigure(2) { $0.interface.announce = own.map { Configuration.Announcement($0) } }
    network.run(for: .seconds(2))
    #expect(network.metric(at: 0, to: 1) == nil, network.comment)
    #expect(refusals(network, 0, "update of a foreign origin") > 0, network.comment)
    network.reconfigure(2) { $0.interface.announce = [] }
    network.run(for: .seconds(5))
    #expect(network.way(from: 0, to: 1) == [0, 2, 1], network.comment)
    network.expectTraffic()
  }

  @Test("S2.5: every node of a chain of five reaches every other")
  func chainOfFive() {
    let network = SimulationTests.chain(5)
    network.run(for: .seconds(3))
    network.expectConverged()
    network.expectTraffic()
  }

  @Test("S3.1: a hub has all its spokes as neighbours")
  func hubHasAllItsSpokesAsNeighbours() {
    let network = SimulatedNetwork(hostCount: 4, seed: Seeds.one)
    for spoke in 1..<4 { network.connect(0, spoke) }
    network.start()
    network.run(for: .seconds(1))
    let peers = network.hosts[0].daemon?.node.status(at: network.now).peers ?? []
    #expect(peers.count == 3 && peers.allSatisfy { $0.neighbour?.cost == 96 }, network.comment)
  }

  @Test("S3.6: no packet visits a node twice during a hundred failures", arguments: Seeds.first(2))
  func noPacketVisitsANodeTwice(seed: UInt64) {
    let (network, edges) = SimulationTests.randomGraph(seed: seed &+ 40)
    var random = SplitMix64(seed: seed)
    network.start()
    network.run(for: .seconds(3))
    for number in 0..<100 {
      let (a, b) = edges[Int(random.next() % UInt64(edges.count))]
      network.cut(a, b)
      for step in 0..<10 {
        let start = Int(random.next() % UInt64(network.hosts.count))
        let end = Int(random.next() % UInt64(network.hosts.count))
        if start != end { network.send(network.packet(from: start, to: end, number: number), from: start) }
        network.run(for: .milliseconds(Int(random.next() % 400)))
        if step == 5 { network.heal(a, b) }
      }
    }
    network.expectNoLoops()
    // A packet that has run out of hops has gone round.
    let exceeded = network.hosts.reduce(0) { $0 + ($1.daemon?.drops[.hopLimitExceeded] ?? 0) }
    #expect(exceeded == 0, network.comment)
  }

  @Test("S4.5: each knows the other's addresses by its key")
  func derivedAddressesNeedNoExchange() throws {
    let network = SimulationTests.chain(2)
    network.run(for: .seconds(2))
    let neighbour = network.hosts[0].daemon?.node.status(at: network.now).peers.first?.neighbour
    #expect(neighbour?.address == network.hosts[1].publicKey.linkLocal)
    #expect(DerivedAddresses(of: network.hosts[1].publicKey).routerID != network.hosts[0].publicKey.base64)
  }

  // MARK: What is not one's own

  @Test func memberCannotMoveWhatAnotherPeerOwns() throws {
    // 0 knows 1 and 2; 2 lies.
    let network = SimulatedNetwork(hostCount: 4, seed: Seeds.one)
    network.connect(0, 1)
    network.connect(0, 2)
    network.connect(0, 3)
    let site = try #require(IPPrefix("10.50.0.0/16"))
    network.configure(0) { $0.peers[0].allowedIPs.append(site) }
    network.configure(1) { $0.interface.announce = [Configuration.Announcement(site)] }
    // A client that is not here at the moment.
    network.configure(0) { $0.peers[2].babel = false }
    network.start()
    network.run(for: .seconds(4))
    network.stop(3)
    let all = network.hosts[1].addresses + network.hosts[3].addresses
    // For all packets, and for those of one node only.
    network.reconfigure(2) {
      $0.interface.announce = (all.map { IPPrefix(host: $0) } + [site]).flatMap { prefix in
        let sources = network.hosts[0].addresses.filter { $0.family == prefix.family }
        return [Configuration.Announcement(prefix)]
          + sources.map { Configuration.Announcement(prefix, source: IPPrefix(host: $0)) }
      }
    }
    network.run(for: .seconds(3))
    #expect(network.way(from: 0, to: 1) == [0, 1], network.comment)
    #expect(prefixes(toward: 1, at: 0, network).contains(site), network.comment)
    #expect(prefixes(toward: 2, at: 0, network) == network.hosts[2].addresses.map { IPPrefix(host: $0) })
    #expect(refusals(network, 0, "update of a foreign origin") >= 5, network.comment)
    // Not even when the owner has gone.
    network.stop(1)
    network.run(for: .seconds(8))
    #expect(network.way(from: 0, to: 1) != [0, 2], network.comment)
    #expect(!prefixes(toward: 2, at: 0, network).contains(site), network.comment)
  }

  @Test func peerHasItsOwnPrefixLimit() {
    let network = SimulationTests.chain(2)
    network.run(for: .seconds(2))
    network.reconfigure(0) { $0.peers[0].maxPrefixes = 5 }
    network.reconfigure(1) {
      $0.interface.announce = (0..<20).compactMap { IPPrefix("10.60.\($0).0/24") }
        .map { Configuration.Announcement($0) }
    }
    network.run(for: .seconds(3))
    let neighbour = network.hosts[0].daemon?.node.status(at: network.now).peers.first?.neighbour
    #expect(neighbour?.prefixes == 5 && neighbour?.prefixLimit == 5)
    #expect((neighbour?.refusals.first { $0.reason == "update over the prefix limit" }?.count ?? 0) >= 17)
    let said = network.hosts[0].events.filter { if case .prefixLimitReached = $0 { true } else { false } }
    #expect(said.count == 1)
    // Its own addresses were there before: they still work.
    network.expectTraffic()
  }

  // MARK: Exits

  private func exits(_ host: Int, _ network: SimulatedNetwork) -> Bool {
    network.hosts[host].daemon?.hostPrefixes.contains(HostPrefix(.defaultIPv4)) == true
  }

  /// 0 - 1 - 2, and 1 - 3: hosts 2 and 3 announce default routes.
  private func withExits(_ exit: (SimulatedNetwork) -> Configuration.Exit) -> SimulatedNetwork {
    let network = SimulatedNetwork(hostCount: 4, seed: Seeds.one)
    network.connect(0, 1)
    network.connect(1, 2)
    network.connect(1, 3)
    for host in [2, 3] {
      network.configure(host) {
        $0.interface.announce = [.defaultIPv4, .defaultIPv6].map { Configuration.Announcement($0) }
      }
    }
    let choice = exit(network)
    network.configure(0) { $0.interface.exit = choice }
    network.start()
    network.run(for: .seconds(3))
    return network
  }

  private func reachesTheWorld(_ network: SimulatedNetwork) -> Int? {
    let before = network.hosts.map(\.deliveries.count)
    network.send(
      TestPacket.make(from: "\(network.hosts[0].addresses[0])", to: "198.51.100.1"), from: 0)
    network.run(for: .seconds(1))
    return network.hosts.indices.dropFirst().first { network.hosts[$0].deliveries.count > before[$0] }
  }

  @Test func defaultRouteIsCarriedByAllAndUsedByThoseWhoWantIt() {
    let network = withExits { _ in .any }
    #expect(exits(0, network) && !exits(1, network), network.comment)
    #expect(reachesTheWorld(network).map { [2, 3].contains($0) } == true, network.comment)
    network.reconfigure(0) { $0.interface.exit = .none }
    network.run(for: .seconds(1))
    #expect(!exits(0, network), network.comment)
    network.expectTraffic()
  }

  @Test(arguments: [2, 3])
  func exitThatIsNamedIsTheOnlyOne(exit: Int) {
    let network = withExits { .peer($0.hosts[exit].publicKey) }
    // What the node between prefers is what counts.
    let preferred = network.hosts[1].daemon?.node.routeRows(all: false, at: network.now)
      .first { $0.prefix == .defaultIPv4 }?.via?.publicKey
    let isExit = preferred == network.hosts[exit].publicKey
    #expect(exits(0, network) == isExit, network.comment)
    network.stop(5 - exit, gracefully: true)
    network.run(for: .seconds(3))
    #expect(exits(0, network) && reachesTheWorld(network) == exit, network.comment)
    network.stop(exit, gracefully: true)
    network.run(for: .seconds(60))
    #expect(!exits(0, network), network.comment)
  }

  @Test func peersWithLeaveAreTheOnlyExits() {
    let network = SimulatedNetwork(hostCount: 3, seed: Seeds.one)
    network.connect(0, 1)
    network.connect(0, 2)
    for host in [1, 2] {
      network.configure(host) { $0.interface.announce = [Configuration.Announcement(.defaultIPv4)] }
    }
    network.configure(0) {
      $0.interface.exit = .any
      $0.peers[1].allowedIPs.append(.defaultIPv4)
    }
    network.start()
    network.run(for: .seconds(3))
    #expect(reachesTheWorld(network) == 2, network.comment)
    network.stop(2)
    network.run(for: .seconds(8))
    #expect(reachesTheWorld(network) == nil, network.comment)
  }

  @Test func underlayIsToldToTheHost() {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(1))
    let expected = [0, 2].map { network.hosts[$0].endpoint.address }
    #expect(network.hosts[1].daemon?.underlay == expected)
    let removed = network.hosts[2].publicKey
    network.reconfigure(1) { $0.peers.removeAll { $0.publicKey == removed } }
    #expect(network.hosts[1].daemon?.underlay == [expected[0]])
  }
}
