import Mesh
import Net
import Noise
import Simulation
import Testing

/// Configurations that change while the network runs, and peers that speak no Babel.
@Suite struct SimulationConfigurationTests {
  private func entry(_ network: SimulatedNetwork, _ a: Int, _ b: Int) -> PeerEntry? {
    network.hosts[a].daemon?.entry(of: network.hosts[b].publicKey)
  }

  private func target(_ network: SimulatedNetwork, _ host: Int, _ address: String) -> Route.Target {
    guard let address = IPAddress(address), let daemon = network.hosts[host].daemon else { return .none }
    return daemon.table.allowedIPs.target(for: address, from: address)
  }

  // MARK: Peers

  @Test func removedPeerIsRetracted() {
    let network = SimulationTests.chain(4)
    network.run(for: .seconds(3))
    let removed = network.hosts[2].publicKey
    network.reconfigure(1) { $0.peers.removeAll { $0.publicKey == removed } }
    network.run(for: .milliseconds(500))
    #expect(entry(network, 1, 2) == nil)
    for end in [2, 3] {
      #expect(network.metric(at: 0, to: end) == nil, network.comment)
      #expect(network.metric(at: 1, to: end) == nil, network.comment)
    }
    network.send(network.packet(from: 2, to: 0), from: 2)
    network.run(for: .seconds(30))
    #expect(network.hosts[0].packets == [], network.comment)
    network.expectConverged()
  }

  @Test func newPeerInThePlaceOfARemovedOneInheritsNothing() {
    let network = SimulatedNetwork(hostCount: 4, seed: Seeds.one)
    network.connect(0, 1)
    network.connect(1, 2)
    network.link(1, 3)
    let peer = network.hosts[1].peerSettings()
    network.configure(3) { $0.peers.append(peer) }
    network.start()
    network.run(for: .seconds(3))
    let added = network.hosts[3].peerSettings()
    network.reconfigure(1) { $0.peers[1] = added }
    network.run(for: .seconds(30))
    #expect(network.metric(at: 0, to: 2) == nil, network.comment)
    #expect(network.metric(at: 0, to: 3) == 192, network.comment)
    network.expectConverged()
    network.expectTraffic()
  }

  @Test func reloadKeepsTheSessionsOfUnchangedPeers() throws {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(3))
    let before = try #require(entry(network, 1, 0)?.current)
    let removed = network.hosts[2].publicKey
    let prefix = try #require(IPPrefix("10.5.0.0/16"))
    var handshakes = 0
    network.tap = { from, to, datagram in if from + to == 1, datagram.first != 4 { handshakes += 1 } }
    network.reconfigure(1) { _ in }
    network.reconfigure(1) { $0.interface.announce = [Configuration.Announcement(prefix)] }
    network.reconfigure(1) { $0.peers.removeAll { $0.publicKey == removed } }
    network.reconfigure(1) { $0.peers.reverse() }
    network.run(for: .seconds(5))
    #expect(entry(network, 1, 0)?.current === before)
    #expect(handshakes == 0)
    #expect(target(network, 0, "10.5.0.1") != .none)
  }

  @Test func ownKeyAsPeerIsIgnored() {
    let network = SimulationTests.chain(2)
    let own = network.hosts[0].peerSettings()
    network.reconfigure(0) { $0.peers.append(own) }
    network.run(for: .seconds(3))
    #expect(entry(network, 0, 0) == nil)
    #expect(network.hosts[0].daemon?.node.status(at: network.now).peers.count == 1)
    network.expectConverged()
    network.expectTraffic()
  }

  @Test func newKeyEndsEverythingAndStartsAgain() throws {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(3))
    var random = SplitMix64(seed: 77)
    let other = try #require(PrivateKey.generate(using: &random))
    network.reconfigure(1) { $0.interface.privateKey = other }
    #expect(entry(network, 1, 0)?.current == nil)
    network.run(for: .seconds(1))
    // What Babel said under the old key is gone; what the file says is not.
    #expect(
      network.hosts[1].daemon?.node.routeRows(all: true, at: network.now).isEmpty == true)
    network.expectNoLoops()
  }

  // MARK: Babel off and on

  @Test func withoutBabelItIsPlainWireGuard() {
    let network = SimulatedNetwork(hostCount: 3, seed: Seeds.one)
    network.connect(0, 1)
    network.connect(1, 2)
    for host in 0..<3 { network.configure(host) { $0.interface.babel = false } }
    network.start()
    network.run(for: .seconds(5))
    for (start, end, arrives) in [(0, 1, true), (1, 0, true), (0, 2, false)] {
      let packet = network.packet(from: start, to: end)
      network.send(packet, from: start)
      network.run(for: .seconds(1))
      #expect(network.hosts[end].packets.contains(packet) == arrives)
    }
    // Only what is in the other's `AllowedIPs` is taken.
    network.seal(
      TestPacket.make(
        from: "\(network.hosts[2].addresses[0])", to: "\(network.hosts[1].addresses[0])"), from: 0, to: 1)
    network.run(for: .seconds(1))
    #expect(network.hosts[1].daemon?.drops[.disallowedSource] == 1)
    #expect(network.hosts[1].daemon?.node.tableRows(at: network.now).count == 1)
  }

  @Test func babelSwitchedOffLeavesNoRoutesBehind() {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(3))
    network.reconfigure(0) { $0.interface.babel = false }
    network.run(for: .milliseconds(300))
    #expect(target(network, 0, "\(network.hosts[2].addresses[0])") == .none)
    #expect(target(network, 0, "\(network.hosts[1].addresses[0])") != .none)
    network.reconfigure(0) { $0.interface.babel = true }
    network.run(for: .seconds(10))
    network.expectConverged()
    network.expectTraffic()
  }

  @Test func defaultRouteIsOwnedByAPeerWithoutBabelOnly() {
    let network = SimulationTests.chain(2)
    network.reconfigure(0) { $0.peers[0].allowedIPs.append(.defaultIPv4) }
    network.run(for: .seconds(3))
    #expect(target(network, 0, "203.0.113.1") == .none)
    network.reconfigure(0) { $0.peers[0].babel = false }
    #expect(target(network, 0, "203.0.113.1") == .peer(PeerID(rawValue: 0)))
    network.reconfigure(0) { $0.peers[0].babel = nil }
    #expect(target(network, 0, "203.0.113.1") == .none)
  }

  // MARK: Silent peers

  /// 0 - 1 - 2 speak Babel, 3 is a stock client of 2.
  private func withClient(toldSo: Bool) -> SimulatedNetwork {
    let network = SimulatedNetwork(hostCount: 4, seed: Seeds.one)
    for host in 1..<4 { network.connect(host - 1, host) }
    network.configure(3) {
      $0.interface.babel = false
      $0.peers[0].allowedIPs = [IPPrefix("10.77.0.0/16"), IPPrefix("fd77::/64")].compactMap(\.self)
      $0.peers[0].persistentKeepalive = 25
    }
    network.configure(2) {
      $0.peers[1].endpoints = []
      if toldSo { $0.peers[1].babel = false }
    }
    network.start()
    network.run(for: .seconds(8))
    return network
  }

  private func exchange(_ network: SimulatedNetwork, _ a: Int, _ b: Int) -> Bool {
    for (start, end) in [(a, b), (b, a)] {
      let before = network.hosts[end].deliveries.count
      network.send(network.packet(from: start, to: end), from: start)
      network.run(for: .seconds(1))
      guard network.hosts[end].deliveries.count == before + 1 else { return false }
    }
    return true
  }

  @Test(arguments: [false, true])
  func silentPeerIsRepresentedUntilItIsGone(toldSo: Bool) {
    let network = withClient(toldSo: toldSo)
    #expect(network.metric(at: 0, to: 3) == 192, network.comment)
    #expect(exchange(network, 0, 3), network.comment)
    network.stop(3)
    for _ in 0..<60 {
      network.send(network.packet(from: 0, to: 3), from: 0)
      network.run(for: .seconds(5))
    }
    #expect(network.metric(at: 0, to: 3) == nil, network.comment)
    network.start(3)
    network.run(for: .seconds(40))
    #expect(network.metric(at: 0, to: 3) == 192, network.comment)
    #expect(exchange(network, 0, 3), network.comment)
    network.expectNoLoops()
  }

  @Test(arguments: [false, true])
  func removedClientIsNoLongerRepresented(toldSo: Bool) {
    let network = withClient(toldSo: toldSo)
    network.reconfigure(2) { $0.peers.removeLast() }
    network.run(for: .seconds(1))
    #expect(network.metric(at: 0, to: 3) == nil, network.comment)
    #expect(target(network, 2, "\(network.hosts[3].addresses[0])") != .local)
  }

  @Test func newPrefixOfAClientIsAnnouncedAndAnOldOneWithdrawn() throws {
    let network = withClient(toldSo: true)
    let prefix = try #require(IPPrefix("10.6.0.0/24"))
    network.reconfigure(2) { $0.peers[1].allowedIPs[0] = prefix }
    network.run(for: .seconds(1))
    #expect(network.metric(at: 0, to: 3, .v4) == nil, network.comment)
    #expect(network.metric(at: 0, to: 3, .v6) == 192, network.comment)
    #expect(target(network, 0, "10.6.0.9") == .peer(PeerID(rawValue: 0)), network.comment)
  }

  @Test func clientThatBeginsToSpeakIsHeard() {
    let network = withClient(toldSo: false)
    #expect(network.metric(at: 0, to: 3) == 192)
    network.reconfigure(3) {
      $0.interface.babel = true
      $0.peers[0].allowedIPs = network.hosts[2].peerSettings().allowedIPs
    }
    network.run(for: .seconds(30))
    network.expectConverged()
    network.expectTraffic()
  }
}
