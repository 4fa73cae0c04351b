import Mesh
import Net
import Noise
import Simulation
import Testing

/// a – m – b: packets between two peers of m.
@Suite struct TransitTests {
  private static func id(_ raw: UInt32) -> PeerID { PeerID(rawValue: raw) }

  /// At the ends, m is peer 1.
  ///
  /// At m, a is 1 and b is 2.
  private static func chain(_ a: inout Plane, _ m: inout Plane, _ b: inout Plane) {
    connect(&a, as: 1, &m, as: 1, babel: true)
    connect(&m, as: 2, &b, as: 1, babel: true)
    m.addPeer(2, current: m.draft[id(2)]?.current, path: Plane.path(2), babel: true)
    for (network, far) in [("10.0.0.", "/32"), ("fd00::", "/128")] {
      a.route("\(network)2\(far)", Route(.peer(id(1)), sources: [id(1)]))
      a.route("\(network)9\(far)", Route(.peer(id(1)), sources: [id(1)]))
      b.route("\(network)1\(far)", Route(.peer(id(1)), sources: [id(1)]))
      m.route("\(network)1\(far)", Route(.peer(id(1)), owners: [id(1)]))
      m.route("\(network)2\(far)", Route(.peer(id(2)), sources: [id(2)]))
    }
    m.draft.settings.transit = .process
    m.draft.settings.ownAddresses = [
      .v4(IPv4Address(10, 0, 0, 9)), .v6(IPv6Address(high: 0xFD00 << 48, low: 9)),
    ]
  }

  @Test func packetsCrossAThirdNode() {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    let packets = (40...140).map {
      TestPacket.make(
        from: $0 % 2 == 0 ? "10.0.0.1" : "fd00::1", to: $0 % 2 == 0 ? "10.0.0.2" : "fd00::2", length: $0 * 10)
    }
    let middle = m.receive(a.send(packets).datagrams, along: Plane.path(5))
    #expect(middle.packets.isEmpty)
    #expect(middle.allSatisfy { $0.disposition == .send && $0.path == Plane.path(2) })
    let expected = (40...140).map {
      TestPacket.make(
        from: $0 % 2 == 0 ? "10.0.0.1" : "fd00::1", to: $0 % 2 == 0 ? "10.0.0.2" : "fd00::2", length: $0 * 10,
        hopLimit: 63)
    }
    #expect(b.receive(middle.datagrams).packets == expected)
    #expect(m.activity(2).sentBytes == UInt64(middle.datagrams.map(\.count).reduce(0, +)))
  }

  /// UDP GRO delivers datagrams back to back: a sealed packet must not outgrow the received one.
  @Test func aTrainIsRelayedInPlace() {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    // The ends have another MTU than the node between, and one packet comes without padding.
    a.draft.settings.mtu = 1417
    let packets = (0..<6).map {
      TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: $0 == 5 ? 333 : 1417)
    }
    let datagrams = a.send(packets).datagrams
    var batch = PacketBatch(bufferCount: 1, bufferCapacity: 16384, slotsPerBuffer: 16)
    var offset = batch.bufferOffset(0)
    for datagram in datagrams {
      var octets = batch.mutableBytes(at: offset, count: datagram.count)
      for index in datagram.indices { octets.set(byte: datagram[index], at: index) }
      let path = batch.append(Plane.path(5))
      batch.append(offset: offset, length: datagram.count, path: path)
      offset += datagram.count
    }
    let table = m.draft.freeze()
    m.inbound.process(&batch, table: table, at: m.now)
    m.outbound.relay(&batch, table: table, at: m.now)
    let sent = Sent.all(of: batch)
    #expect(sent.map(\.bytes.count) == datagrams.map(\.count))
    #expect(b.receive(sent.datagrams).packets.map(\.count) == packets.map(\.count))
    #expect(b.drops[.forged] == 0)
  }

  @Test(arguments: [("10.0.0.1", "10.0.0.2", 20), ("fd00::1", "fd00::2", 40)])
  func aPacketOutOfHopsIsAnsweredThroughTheTunnel(source: String, destination: String, offset: Int) throws {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    let packet = TestPacket.make(from: source, to: destination, hopLimit: 1)
    let answer = m.receive(a.send([packet]).datagrams)
    #expect(m.drops[.hopLimitExceeded] == 1)
    let errors = a.receive(answer.datagrams).packets
    let error = try #require(errors.first)
    #expect(error[offset] == (offset == 20 ? 11 : 3) && error[offset + 1] == 0)
    #expect(Array(error[(offset + 8)...]) == packet)
    let reading = IPHeader(reading: error.span.bytes)
    let header = try #require(reading)
    #expect(header.source == IPAddress(offset == 20 ? "10.0.0.9" : "fd00::9"))
    // A packet for m itself needs no further hop.
    let last = TestPacket.make(from: source, to: offset == 20 ? "10.0.0.9" : "fd00::9", hopLimit: 1)
    #expect(m.receive(a.send([last]).datagrams).packets == [last])
  }

  @Test func whatIsTooLargeIsAnsweredOrFragmentedOutside() throws {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    a.draft.settings.mtu = 1500
    let v4 = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: 1500)
    let v6 = TestPacket.make(from: "fd00::1", to: "fd00::2", length: 1500)
    let free = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: 1500, dontFragment: false)
    let answers = m.receive(a.send([v4, v6, free]).datagrams)
    #expect(m.drops[.tooBig] == 2)
    #expect(b.receive(answers.filter { $0.path == Plane.path(2) }.datagrams).packets.count == 1)
    let errors = a.receive(answers.filter { $0.path == Plane.path(1) }.datagrams).packets
    #expect(errors.count == 2)
    #expect(errors[0][20..<28].elementsEqual([3, 4, errors[0][22], errors[0][23], 0, 0, 5, 0x8C]))
    #expect(errors[0].count == 576)
    #expect(errors[1][40] == 2 && errors[1][44..<48].elementsEqual([0, 0, 5, 0x8C]))
    #expect(errors[1].count == 1280)
  }

  @Test func thePaddingOfARelayedPacketNeverPassesOurMTU() {
    for mtu in 1280...1312 {
      var a = Plane(1)
      var m = Plane(2)
      var b = Plane(3)
      Self.chain(&a, &m, &b)
      a.draft.settings.mtu = 1420
      m.draft.settings.mtu = mtu
      let packets = (mtu - 16...mtu).map { TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: $0) }
      let sent = a.send(packets).datagrams
      let relayed = m.receive(sent).datagrams
      #expect(relayed.count == packets.count)
      for index in relayed.indices {
        #expect(relayed[index].count <= 32 + mtu && relayed[index].count <= sent[index].count)
      }
      #expect(b.receive(relayed).packets.map(\.count) == packets.map(\.count))
    }
  }

  @Test func anUnreachableDestinationIsAnswered() throws {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    m.route("10.0.0.2/32", Route(.unreachable, sources: [Self.id(2)]))
    let answer = m.receive(a.send([TestPacket.make(from: "10.0.0.1", to: "10.0.0.2")]).datagrams)
    let error = try #require(a.receive(answer.datagrams).packets.first)
    #expect(error[20] == 3 && error[21] == 0)
    #expect(m.drops[.unreachable] == 1)
    // Without an address of its own, a node answers from the dummy address.
    m.draft.settings.ownAddresses = []
    m.draft.allowedIPs[try #require(IPPrefix("10.0.0.9/32"))] = nil
    a.route("192.0.0.8/32", Route(.none, sources: [Self.id(1)]))
    let second = m.receive(a.send([TestPacket.make(from: "10.0.0.1", to: "10.0.0.2")]).datagrams)
    let dummy = a.receive(second.datagrams).packets.first.flatMap { IPHeader(reading: $0.span.bytes) }
    let header = try #require(dummy)
    #expect(header.source == IPAddress("192.0.0.8"))
  }

  @Test(arguments: Configuration.Transit.allCases)
  func theModeDecidesWhoForwards(_ mode: Configuration.Transit) throws {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    m.draft.settings.transit = mode
    a.route("0.0.0.0/0", Route(.peer(Self.id(1))))
    let through = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2")
    let here = TestPacket.make(from: "10.0.0.1", to: "10.0.0.9")
    let nowhere = TestPacket.make(from: "10.0.0.1", to: "10.77.0.1")
    let group = TestPacket.make(from: "10.0.0.1", to: "239.1.1.1")
    let sent = m.receive(a.send([through, here, nowhere, group]).datagrams)
    switch mode {
    case .process:
      #expect(sent.packets == [here, nowhere, group])
      #expect(b.receive(sent.datagrams).packets.count == 1)
    case .kernel:
      #expect(sent.packets == [through, here, nowhere, group])
      #expect(sent.datagrams.isEmpty)
    case .off:
      #expect(sent.packets == [here, group])
      #expect(m.drops[.transitRefused] == 2)
      let errors = a.receive(sent.datagrams).packets
      #expect(errors.count == 2 && errors.allSatisfy { $0[20] == 3 && $0[21] == 13 })
    }
  }

  @Test func transitWithoutSessionGoesUp() {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    m.addPeer(2, babel: true)
    let packet = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: 77)
    #expect(m.receive(a.send([packet]).datagrams).datagrams.isEmpty)
    let staged = m.drainEvents().compactMap { event -> [UInt8]? in
      guard case .needsSession(Self.id(2), let packet) = event else { return nil }
      return packet
    }
    #expect(staged == [TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: 77, hopLimit: 63)])
  }

  @Test func congestionIsCarriedOn() {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    let packet = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", ecn: 2)
    let sent = m.receive(a.send([packet]).datagrams, ecn: 3)
    #expect(sent[0].ecn == 2)
    let received = b.receive(sent.datagrams, ecn: sent[0].ecn).packets
    #expect(received == [TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", hopLimit: 63, ecn: 3)])
  }
}
