import Mesh
import Net
import Simulation
import Testing

/// Who may send packets from which address, and who may announce what, in running networks.
@Suite struct SimulationSourceTests {
  private func drops(_ network: SimulatedNetwork, _ host: Int, _ reason: DropReason) -> UInt64 {
    network.hosts[host].daemon?.drops[reason] ?? 0
  }

  /// Lets a host seal a packet that no honest one would send.
  private func lie(
    _ network: SimulatedNetwork, from liar: Int, to victim: Int, source: String, destination: String? = nil
  ) {
    let index = source.contains(":") ? 1 : 0
    network.seal(
      TestPacket.make(from: source, to: destination ?? "\(network.hosts[victim].addresses[index])"),
      from: liar, to: victim)
    network.run(for: .milliseconds(500))
  }

  @Test func spoofedSourcesDie() {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(3))
    for source in ["192.168.1.1", "fd99::1"] {
      lie(network, from: 1, to: 0, source: source)
    }
    #expect(drops(network, 0, .unknownSource) == 2)
    for source in [
      "\(network.hosts[0].addresses[0])", "\(network.hosts[0].addresses[1])", "127.0.0.1", "239.1.2.3",
    ] {
      lie(network, from: 1, to: 0, source: source)
    }
    #expect(drops(network, 0, .martianSource) == 4)
    #expect(network.hosts[0].packets == [])
    network.expectTraffic()
  }

  @Test func routerDropsSpoofedTransit() {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(3))
    lie(network, from: 0, to: 1, source: "10.1.2.3", destination: "\(network.hosts[2].addresses[0])")
    #expect(drops(network, 1, .unknownSource) == 1)
    #expect(network.hosts[2].packets == [])
  }

  @Test func acceptLimitsWhatAPeerAnnouncesAndCarries() {
    let network = SimulatedNetwork(hostCount: 3, seed: Seeds.one)
    network.connect(0, 1)
    network.connect(1, 2)
    let allowed = network.hosts[1].addresses.map { IPPrefix(host: $0) }
    network.configure(0) { $0.peers[0].accept = allowed }
    network.start()
    network.run(for: .seconds(5))
    #expect(network.metric(at: 0, to: 1) == 96)
    #expect(network.metric(at: 0, to: 2) == nil)
    #expect(network.metric(at: 2, to: 0) == 192)
    lie(network, from: 1, to: 0, source: "\(network.hosts[2].addresses[0])")
    #expect(drops(network, 0, .unacceptedSource) == 1)
    network.reconfigure(0) { $0.peers[0].accept = nil }
    network.run(for: .seconds(5))
    network.expectConverged()
    network.expectTraffic()
  }

  @Test func ownAddressesAreNeverTakenFromPeers() {
    let network = SimulationTests.chain(3)
    let own = IPPrefix(host: network.hosts[0].addresses[0])
    network.reconfigure(1) { $0.interface.announce = [Configuration.Announcement(own)] }
    network.run(for: .seconds(5))
    #expect(network.hosts[0].daemon?.table.allowedIPs.target(for: own.address, from: own.address) == .local)
    lie(network, from: 1, to: 0, source: "\(own.address)")
    #expect(drops(network, 0, .martianSource) == 1)
    network.expectNoLoops()
  }

  @Test("S3.3: a prefix with two owners goes to the one that is there")
  func prefixWithTwoOwnersGoesToTheOneThatIsThere() throws {
    let network = SimulatedNetwork(hostCount: 3, seed: Seeds.one)
    // 0 - 1 and 0 - 2: both peers have the prefix.
    network.connect(0, 1)
    network.connect(0, 2)
    let prefix = try #require(IPPrefix("10.99.0.0/16"))
    for host in [1, 2] {
      network.configure(host) { $0.interface.announce = [Configuration.Announcement(prefix)] }
    }
    network.configure(0) {
      $0.peers[0].allowedIPs.append(prefix)
      $0.peers[1].allowedIPs.append(prefix)
    }
    network.start()
    network.run(for: .seconds(5))
    func expectArrival(at host: Int) {
      let packet = TestPacket.make(from: "\(network.hosts[0].addresses[0])", to: "10.99.1.1")
      let before = network.hosts[host].deliveries.count
      network.send(packet, from: 0)
      network.run(for: .seconds(1))
      #expect(network.hosts[host].deliveries.count == before + 1, "at \(host), \(network.comment)")
    }
    network.cut(0, 1)
    network.run(for: .seconds(5))
    expectArrival(at: 2)
    network.heal(0, 1)
    network.run(for: .seconds(40))
    network.cut(0, 2)
    network.run(for: .seconds(5))
    expectArrival(at: 1)
    network.heal(0, 2)
    network.run(for: .seconds(40))
    // Answers of either owner pass.
    for owner in [1, 2] {
      let answer = TestPacket.make(from: "10.99.1.1", to: "\(network.hosts[0].addresses[0])")
      let before = network.hosts[0].deliveries.count
      network.send(answer, from: owner)
      network.run(for: .seconds(1))
      #expect(network.hosts[0].deliveries.count == before + 1, "from \(owner), \(network.comment)")
    }
  }

  @Test func lostHostPrefixDoesNotFallToTheWidePrefixAroundIt() throws {
    let network = SimulatedNetwork(hostCount: 4, seed: Seeds.one)
    for host in 1..<4 { network.connect(host - 1, host) }
    let wide = try #require(IPPrefix("10.77.0.0/16"))
    network.configure(0) { $0.interface.announce = [Configuration.Announcement(wide)] }
    network.start()
    network.run(for: .seconds(4))
    network.expectConverged()
    network.stop(3)
    network.run(until: network.now.advanced(by: .seconds(6))) { network.way(from: 2, to: 3, .v4) != nil }
    network.send(network.packet(from: 1, to: 3), from: 1)
    network.run(for: .seconds(1))
    #expect(network.hosts[0].packets == [])
    #expect(network.hosts[1].packets.last?.isUnreachable(about: network.packet(from: 1, to: 3)) == true)
    network.expectNoLoops()
  }

  // MARK: Garbage

  @Test(arguments: Seeds.first(3))
  func randomDatagramsChangeNothing(seed: UInt64) {
    let network = SimulationTests.chain(3, seed: seed)
    var seen: [[UInt8]] = []
    network.tap = { _, to, datagram in if to == 1 { seen.append(datagram) } }
    network.run(for: .seconds(3))
    network.tap = nil
    let before = [0, 2].map { network.hosts[1].daemon?.entry(of: network.hosts[$0].publicKey) }
    let nodeEvents = network.hosts[1].events.filter(\.isChange).count
    var random = SplitMix64(seed: seed)
    for _ in 0..<2000 {
      network.inject(garbage(seen, using: &random), from: somewhere(using: &random), to: 1)
      network.run(for: .microseconds(Int(random.next() % 1000)))
    }
    let after = [0, 2].map { network.hosts[1].daemon?.entry(of: network.hosts[$0].publicKey) }
    for (old, new) in zip(before, after) {
      #expect(old?.current != nil && old?.current === new?.current, network.comment)
      #expect(old?.next === new?.next && old?.previous === new?.previous, network.comment)
      #expect(old?.path == new?.path, network.comment)
    }
    #expect(network.hosts[1].events.filter(\.isChange).count == nodeEvents, network.comment)
    #expect(network.hosts[1].packets == [], network.comment)
    network.expectConverged()
    network.expectTraffic()
  }

  private func somewhere(using random: inout SplitMix64) -> Endpoint {
    Endpoint(
      address: .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: random.next()))),
      port: UInt16(truncatingIfNeeded: random.next()))
  }

  /// Noise of a length and type that may look right, or a datagram seen before with some octets changed.
  private func garbage(_ seen: [[UInt8]], using random: inout SplitMix64) -> [UInt8] {
    guard random.next() % 2 == 0, var datagram = seen.randomElement(using: &random) else {
      let lengths = [0, 1, 4, 31, 32, 48, 64, 92, 148, 149, Int(random.next() % 1500)]
      let length = lengths.randomElement(using: &random) ?? 0
      var noise = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      guard length >= 4 else { return noise }
      noise.replaceSubrange(0..<4, with: [UInt8(random.next() % 6), 0, 0, 0])
      return noise
    }
    for _ in 0...random.next() % 4 {
      datagram[Int(random.next() % UInt64(datagram.count))] ^= UInt8(
        truncatingIfNeeded: 1 << (random.next() % 8))
    }
    return random.next() % 8 == 0 ? Array(datagram.dropLast(Int(random.next() % 40))) : datagram
  }

  @Test(arguments: Seeds.first(3))
  func randomBabelPayloadsBreakNothing(seed: UInt64) {
    let network = SimulationTests.chain(3, seed: seed)
    network.run(for: .seconds(3))
    var random = SplitMix64(seed: seed)
    let source = "\(network.hosts[0].publicKey.linkLocal)"
    for round in 0..<600 {
      var payload = (0..<Int(random.next() % 300)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      // Half of them get past the header, into TLVs of known types.
      if round % 2 == 0 {
        let length = payload.count
        for index in stride(from: 0, to: length, by: 20) { payload[index] = UInt8(random.next() % 12) }
        payload = [42, 2, UInt8(length >> 8), UInt8(length & 0xFF)] + payload
      }
      network.seal(TestPacket.udp6(from: source, to: "ff02::1:6", payload: payload), from: 0, to: 1)
      network.run(for: .milliseconds(3))
    }
    network.run(for: .seconds(90))
    network.expectConverged()
    network.expectTraffic()
  }
}

extension NodeEvent {
  /// Whether it tells of a change, and not only of somebody refused.
  fileprivate var isChange: Bool {
    if case .handshakeRefused = self { false } else { true }
  }
}
