import Mesh
import Net
import Noise
import Simulation
import Testing

/// Handshakes, sessions and endpoints between real nodes, over minutes of virtual time.
@Suite struct SimulationSessionTests {
  /// Two hosts without Babel.
  static func plainPair(_ quality: LinkQuality = LinkQuality()) -> SimulatedNetwork {
    let network = SimulatedNetwork(hostCount: 2, seed: Seeds.one)
    network.connect(0, 1, quality)
    for host in 0..<2 { network.configure(host) { $0.interface.babel = false } }
    network.start()
    return network
  }

  private func session(_ network: SimulatedNetwork, _ a: Int, _ b: Int) -> Keypair? {
    network.hosts[a].daemon?.entry(of: network.hosts[b].publicKey)?.current
  }

  private func path(_ network: SimulatedNetwork, _ a: Int, _ b: Int) -> Endpoint? {
    network.hosts[a].daemon?.entry(of: network.hosts[b].publicKey)?.path?.remote
  }

  /// Sends a packet and expects it to arrive within a second.
  private func expectArrival(
    _ network: SimulatedNetwork, from start: Int, to end: Int, number: Int = 0,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let packet = network.packet(from: start, to: end, number: number)
    network.send(packet, from: start)
    network.run(for: .seconds(1))
    #expect(network.hosts[end].packets.last == packet, network.comment, sourceLocation: location)
  }

  // MARK: Handshakes

  @Test(arguments: Seeds.first(3))
  func handshakesSurviveLossDuplicationAndReordering(seed: UInt64) {
    let network = SimulatedNetwork(hostCount: 6, seed: seed)
    let quality = LinkQuality(
      delay: .milliseconds(20), jitter: .milliseconds(60), loss: 0.35, duplication: 0.3, reordering: 0.3)
    for leaf in 1..<6 { network.connect(0, leaf, quality) }
    network.start()
    network.run(for: .seconds(40))
    for leaf in 1..<6 {
      #expect(session(network, 0, leaf) != nil, network.comment)
      #expect(session(network, leaf, 0) != nil, network.comment)
    }
    network.setQuality { $0 = LinkQuality() }
    network.run(for: .seconds(30))
    network.expectConverged()
    network.expectTraffic()
  }

  @Test func packetsWaitForTheSessionTheyCallFor() {
    let network = Self.plainPair()
    var sent: [[UInt8]] = []
    for number in 0..<20 {
      sent.append(network.packet(from: 0, to: 1, number: number))
      network.send(sent[number], from: 0)
    }
    network.run(for: .seconds(1))
    #expect(network.hosts[1].packets == sent)
  }

  @Test func idlePeersWithoutBabelAreSilent() {
    let network = Self.plainPair()
    var count = 0
    network.tap = { _, _, _ in count += 1 }
    network.run(for: .seconds(300))
    #expect(count == 0)
  }

  @Test func presharedKeysMustAgree() {
    let network = Self.plainPair()
    func key(_ octet: UInt8) -> PresharedKey? {
      PresharedKey([UInt8](repeating: octet, count: 32).span.bytes)
    }
    network.reconfigure(0) { $0.peers[0].presharedKey = key(1) }
    network.reconfigure(1) { $0.peers[0].presharedKey = key(2) }
    network.send(network.packet(from: 0, to: 1), from: 0)
    network.run(for: .seconds(12))
    #expect(network.hosts[1].packets == [])
    network.reconfigure(1) { $0.peers[0].presharedKey = key(1) }
    network.run(for: .seconds(12))
    #expect(network.hosts[1].packets == [network.packet(from: 0, to: 1)])
  }

  // MARK: Age

  @Test func sessionIsRenewedUnderTrafficWithoutLosingAPacket() {
    let network = Self.plainPair(LinkQuality(delay: .milliseconds(15), jitter: .milliseconds(2)))
    var sent: [[UInt8]] = []
    var sessions: [ReceiverIndex] = []
    for number in 0..<2000 {
      sent.append(network.packet(from: 0, to: 1, number: number))
      network.send(sent[number], from: 0)
      network.send(network.packet(from: 1, to: 0, number: number), from: 1)
      network.run(for: .milliseconds(200))
      if let index = session(network, 0, 1)?.localIndex, sessions.last != index { sessions.append(index) }
    }
    #expect(network.hosts[1].packets == sent, network.comment)
    #expect(network.hosts[0].packets.count == sent.count, network.comment)
    // 400 s: one at the start, and one every 120 s.
    #expect((4...5).contains(sessions.count), network.comment)
  }

  @Test func babelKeepsSessionsFreshWithoutTraffic() {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(400))
    network.expectConverged()
    network.expectTraffic()
    let births = [session(network, 0, 1), session(network, 1, 2)].map { $0?.createdAt ?? .zero }
    #expect(births.allSatisfy { $0.duration(to: network.now) < .seconds(130) }, network.comment)
  }

  @Test func sessionExpiresAndIsErasedAndComesBack() {
    let network = Self.plainPair()
    var last: [UInt8] = []
    network.tap = { from, _, datagram in if from == 0 { last = datagram } }
    expectArrival(network, from: 0, to: 1)
    let sealed = last
    network.tap = nil
    network.run(for: .seconds(185))
    #expect(session(network, 0, 1)?.isAlive(at: network.now) == false)
    network.inject(sealed, from: network.hosts[0].endpoint, to: 1)
    network.run(for: .seconds(1))
    #expect(network.hosts[1].daemon?.drops[.expiredKey] == 1)
    network.run(for: .seconds(360))
    #expect(session(network, 0, 1) == nil && session(network, 1, 0) == nil)
    expectArrival(network, from: 1, to: 0, number: 1)
  }

  // MARK: Endpoints

  @Test func movedHostIsFollowed() {
    let network = Self.plainPair()
    expectArrival(network, from: 0, to: 1)
    network.move(1)
    expectArrival(network, from: 1, to: 0, number: 1)
    #expect(path(network, 0, 1) == network.hosts[1].endpoint)
    expectArrival(network, from: 0, to: 1, number: 2)
  }

  @Test func replaysFromElsewhereMoveNobody() {
    let network = Self.plainPair()
    var seen: [[UInt8]] = []
    network.tap = { from, _, datagram in if from == 0 { seen.append(datagram) } }
    expectArrival(network, from: 0, to: 1)
    let elsewhere = Endpoint(address: .v4(IPv4Address(203, 0, 113, 9)), port: 9)
    for datagram in seen { network.inject(datagram, from: elsewhere, to: 1) }
    network.run(for: .seconds(1))
    #expect(seen.count >= 2)
    #expect(path(network, 1, 0) == network.hosts[0].endpoint)
    #expect(network.hosts[1].packets.count == 1)
  }

  @Test func hostBehindNATIsReachedAndFollowedToItsNextMapping() {
    let network = SimulatedNetwork(hostCount: 3, seed: Seeds.one)
    network.translate(2)
    network.connect(0, 1)
    network.connect(1, 2)
    network.configure(1) { $0.peers[1].endpoints = [] }
    network.start()
    network.run(for: .seconds(5))
    network.expectConverged()
    network.expectTraffic()
    network.forgetTranslation(of: 2)
    network.run(for: .seconds(3))
    #expect(path(network, 1, 2) == network.hosts[2].publicEndpoint)
    network.expectConverged()
    network.expectTraffic()
  }

  @Test func secondEndpointIsTriedWhenTheFirstDoesNotAnswer() {
    let network = SimulatedNetwork(hostCount: 2, seed: Seeds.one)
    network.connect(0, 1)
    let nowhere = Endpoint(address: .v4(IPv4Address(203, 0, 113, 1)), port: 1)
    network.configure(0) { $0.peers[0].endpoints.insert(.address(nowhere), at: 0) }
    network.configure(1) { $0.peers[0].endpoints = [] }
    network.start()
    network.run(for: .seconds(8))
    network.expectConverged()
  }

  // MARK: Restarts

  @Test(arguments: [false, true])
  func restartWithStateIsAcceptedAlthoughTheClockWentBack(isBabelOn: Bool) {
    let network = SimulatedNetwork(hostCount: 3, seed: Seeds.one)
    network.connect(0, 1)
    network.connect(1, 2)
    for host in 0..<3 { network.configure(host) { $0.interface.babel = isBabelOn } }
    network.start()
    network.run(for: .seconds(2))
    expectArrival(network, from: 1, to: 0)
    network.stop(1)
    network.hosts[1].clockOffset = .seconds(-3600)
    network.run(for: .seconds(1))
    network.start(1)
    network.run(for: .seconds(2))
    expectArrival(network, from: 1, to: 0, number: 1)
    guard isBabelOn else { return }
    network.run(for: .seconds(20))
    network.expectConverged()
    network.expectTraffic()
  }

  @Test func initiationWithAnOldTimestampIsRefused() {
    let network = Self.plainPair()
    expectArrival(network, from: 1, to: 0)
    network.stop(1)
    network.eraseDisk(of: 1)
    network.hosts[1].clockOffset = .seconds(-3600)
    network.start(1)
    network.send(network.packet(from: 1, to: 0, number: 1), from: 1)
    network.run(for: .seconds(8))
    #expect(network.hosts[0].packets.count == 1)
  }

  @Test func meshFindsANodeAgainThatForgotEverything() {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(5))
    network.stop(1)
    network.eraseDisk(of: 1)
    network.hosts[1].clockOffset = .seconds(-3600)
    network.run(for: .seconds(10))
    network.start(1)
    // Its initiations are refused, but its neighbours miss it and initiate themselves.
    network.run(for: .seconds(60))
    network.expectConverged()
    network.expectTraffic()
  }

  @Test func deviceThatIsDownIsSilentAndComesBack() {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(3))
    network.handle(.link(isUp: false), at: 1)
    var count = 0
    network.tap = { from, _, _ in if from == 1 { count += 1 } }
    #expect(session(network, 1, 0) == nil)
    network.run(for: .seconds(60))
    #expect(count == 0, network.comment)
    network.tap = nil
    network.handle(.link(isUp: true), at: 1)
    network.run(for: .seconds(30))
    network.expectConverged()
    network.expectTraffic()
  }
}
