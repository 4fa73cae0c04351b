import Mesh
import Net
import Noise
import Simulation
import Testing

/// a – m – b, where the paths of single peers carry less than the interface's MTU of 1420.
@Suite struct PeerMTUTests {
  private static func id(_ raw: UInt32) -> PeerID { PeerID(rawValue: raw) }
  private static let families = [("10.0.0.1", "10.0.0.2", "10.0.0.9"), ("fd00::1", "fd00::2", "fd00::9")]

  /// At the ends, m is peer 1; at m, a is 1 and b is 2.
  private static func chain(_ a: inout Plane, _ m: inout Plane, _ b: inout Plane) {
    connect(&a, as: 1, &m, as: 1, babel: true)
    connect(&m, as: 2, &b, as: 1, babel: true)
    for (first, second, middle) in families {
      let length = first.contains(":") ? 128 : 32
      for far in [second, middle] {
        a.route("\(far)/\(length)", Route(.peer(id(1)), sources: [id(1)]))
      }
      a.route("\(first)/\(length)", Route(.local))
      b.route("\(first)/\(length)", Route(.peer(id(1)), sources: [id(1)]))
      b.route("\(second)/\(length)", Route(.local))
      m.route("\(first)/\(length)", Route(.peer(id(1)), owners: [id(1)]))
      m.route("\(second)/\(length)", Route(.peer(id(2)), owners: [id(2)]))
    }
    m.draft.settings.transit = .process
    m.draft.settings.ownAddresses = families.compactMap { IPAddress($0.2) }
  }

  /// The MTU in an ICMP error, if it is one about the packet's size.
  private static func mtu(in error: [UInt8]) -> Int? {
    let octets = error.span.bytes
    return switch (octets.byte(0) >> 4, octets.byte(octets.byte(0) >> 4 == 4 ? 20 : 40)) {
    case (4, 3): octets.byte(21) == 4 ? Int(octets.big32(24)) : nil
    case (6, 2): Int(octets.big32(44))
    default: nil
    }
  }

  /// A SYN that offers 1460 octets.
  private static func syn(from source: String, to destination: String) -> [UInt8] {
    let segment: [UInt8] = [
      1, 2, 3, 4, 0, 0, 0, 9, 0, 0, 0, 0, 0x60, 0x02, 0xFF, 0xFF, 0, 0, 0, 0, 2, 4, 0x05, 0xB4,
    ]
    var packet = TestPacket.make(from: source, to: destination, protocolNumber: 6, payload: segment)
    let start = packet.count - segment.count
    let sum = checksum(of: packet)
    packet[start + 16] = UInt8(sum >> 8)
    packet[start + 17] = UInt8(sum & 0xFF)
    return packet
  }

  /// The checksum over a TCP packet, 0 if the one inside is right.
  private static func checksum(of packet: [UInt8]) -> UInt16 {
    guard let header = IPHeader(reading: packet.span.bytes) else { return 1 }
    var sum = Checksum()
    sum.add(packet.span.bytes.extracting(header.headerLength...))
    sum.addPseudoHeader(
      source: header.source, destination: header.destination, protocolNumber: 6,
      length: packet.count - header.headerLength)
    return sum.value
  }

  /// What a SYN offers, if its checksum is right.
  private static func offer(_ packet: [UInt8]) -> Int? {
    checksum(of: packet) == 0 ? Int(packet.span.bytes.big16(packet.count - 2)) : nil
  }

  @Test(arguments: [1280, 1300, 1333, 1419])
  func hostIsToldHowMuchAPeerTakes(mtu: Int) throws {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    a.limit(1, to: mtu)
    for (source, destination, _) in Self.families {
      let packets = [mtu, mtu + 1, 1420].map { TestPacket.make(from: source, to: destination, length: $0) }
      let sent = a.send(packets)
      #expect(sent.map(\.disposition) == [.send] + packets.dropFirst().map { $0.count > mtu ? .done : .send })
      let replies = Sent.all(of: a.outbound.replies)
      #expect(replies.count == 2 && replies.allSatisfy { $0.disposition == .deliver })
      for (reply, packet) in zip(replies.map(\.bytes), packets.dropFirst()) {
        #expect(Self.mtu(in: reply) == mtu)
        let reading = IPHeader(reading: reply.span.bytes)
        let header = try #require(reading)
        // The kernel takes no packet from a device that has an address of its own as source.
        #expect(header.source == IPAddress(destination) && header.destination == IPAddress(source))
        let quoted = reply.dropFirst(header.headerLength + 8)
        #expect(Array(quoted) == Array(packet.prefix(quoted.count)))
      }
    }
    #expect(a.drops[.tooBig] == 4)
  }

  @Test func hostIsToldNothingWhileNothingIsKnown() {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    for mtu in [nil, 9000] {
      a.limit(1, to: mtu)
      for (source, destination, _) in Self.families {
        #expect(
          a.send([TestPacket.make(from: source, to: destination, length: 1420)])[0].disposition == .send)
      }
    }
    #expect(a.drops[.tooBig] == 0)
  }

  @Test func whatMayBeFragmentedOutsideGoesOnWhole() {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    a.limit(1, to: 1200)
    m.limit(2, to: 1200)
    let free = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: 1400, dontFragment: false)
    let least = TestPacket.make(from: "fd00::1", to: "fd00::2", length: 1280)
    let sent = a.send([free, least])
    #expect(sent.map(\.disposition) == [.send, .send])
    // What is too long anyhow is not made longer.
    #expect(sent.datagrams.map(\.count) == [32 + 1400, 32 + 1280])
    let relayed = m.receive(sent.datagrams)
    #expect(relayed.datagrams.map(\.count) == [32 + 1400, 32 + 1280])
    #expect(b.receive(relayed.datagrams).packets.map(\.count) == [1400, 1280])
  }

  @Test func nobodyIsToldOfLessThanEveryIPv6LinkHas() {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    let packets = Self.families.map { TestPacket.make(from: $0.0, to: $0.1, length: 1281) }
    let datagrams = a.send(packets).datagrams
    a.limit(1, to: 1200)
    m.limit(2, to: 1200)
    _ = a.send(packets)
    #expect(Sent.all(of: a.outbound.replies).map { Self.mtu(in: $0.bytes) } == [1200, 1280])
    let errors = a.receive(m.receive(datagrams).datagrams).packets
    #expect(errors.map(Self.mtu) == [1200, 1280])
  }

  @Test(arguments: [(1300, 1420), (1420, 1300), (1300, 9000), (9000, 1300)])
  func transitKeepsToTheInterfaceAndTheNextPeer(interface: Int, peer: Int) throws {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    m.draft.settings.mtu = interface
    m.limit(2, to: peer)
    // Where it comes from does not matter.
    m.limit(1, to: 1290)
    for (source, destination, middle) in Self.families {
      let packets = [1300, 1301].map { TestPacket.make(from: source, to: destination, length: $0) }
      let sent = m.receive(a.send(packets).datagrams)
      #expect(b.receive(sent.filter { $0.peer == 2 }.datagrams).packets.map(\.count) == [1300])
      let errors = a.receive(sent.filter { $0.peer == 1 }.datagrams).packets
      #expect(errors.map(Self.mtu) == [1300])
      let error = try #require(errors.first)
      let reading = IPHeader(reading: error.span.bytes)
      #expect(reading?.source == IPAddress(middle) && reading?.destination == IPAddress(source))
    }
    #expect(m.drops[.tooBig] == 2)
  }

  @Test func paddingNeverPassesWhatAPeerTakes() {
    for mtu in 1280...1312 {
      var a = Plane(1)
      var m = Plane(2)
      var b = Plane(3)
      Self.chain(&a, &m, &b)
      let packets = (mtu - 16...mtu).map { TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: $0) }
      let long = a.send(packets).datagrams
      m.limit(2, to: mtu)
      #expect(m.receive(long).datagrams.allSatisfy { $0.count <= 32 + mtu })
      a.limit(1, to: mtu)
      let sent = a.send(packets).datagrams
      #expect(sent.map(\.count) == packets.map { 32 + min(($0.count + 15) & ~15, mtu) })
      // What the control thread sends, too.
      for packet in packets {
        var batch = PacketBatch(bufferCount: 1, bufferCapacity: 2048)
        let isSealed = a.outbound.seal(
          packet.span.bytes, to: Self.id(1), in: &batch, table: a.draft.freeze(), at: a.now)
        #expect(isSealed && batch[0].length == 32 + min((packet.count + 15) & ~15, mtu))
      }
    }
  }

  @Test func probeHasExactlyTheSizeAskedForAndArrivesAsWhatItCarries() {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    a.limit(1, to: 1280)
    let packet = TestPacket.make(from: "10.0.0.1", to: "10.0.0.9", length: 75)
    for size in [75, 76, 80, 1281, 1413, 1440, 2000] {
      var batch = PacketBatch(bufferCount: 1, bufferCapacity: 2048)
      let isSealed = a.outbound.seal(
        packet.span.bytes, to: Self.id(1), size: size, in: &batch, table: a.draft.freeze(), at: a.now)
      #expect(isSealed && batch[0].length == 32 + UInt32(size))
      #expect(m.receive(Sent.all(of: batch).datagrams).packets.last == packet)
    }
    var batch = PacketBatch(bufferCount: 1, bufferCapacity: 2048)
    let isSealed = a.outbound.seal(
      packet.span.bytes, to: Self.id(1), size: 2049, in: &batch, table: a.draft.freeze(), at: a.now)
    #expect(!isSealed)
  }

  @Test func interleavedPeersHaveEachTheirOwnLimit() {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    m.limit(1, to: 1300)
    let packets = (0..<40).map {
      TestPacket.make(from: "10.0.0.9", to: $0 % 3 == 0 ? "10.0.0.1" : "10.0.0.2", length: 1400)
    }
    let sent = m.send(packets)
    #expect(sent.map(\.disposition) == (0..<40).map { $0 % 3 == 0 ? .done : .send })
    m.limit(1, to: nil)
    // The next turn looks again.
    #expect(m.send(packets).allSatisfy { $0.disposition == .send })
  }

  @Test(arguments: families)
  func connectionOfTheHostKeepsToThePeer(source: String, destination: String, middle: String) {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    let headers = source.contains(":") ? 60 : 40
    let syn = Self.syn(from: source, to: middle)
    for (mtu, clamped) in [(nil, 1420), (1280, 1280), (9000, 1420)] {
      a.limit(1, to: mtu)
      let packets = m.receive(a.send([syn]).datagrams).packets
      #expect(packets.map(Self.offer) == [clamped - headers])
    }
  }

  @Test(arguments: families)
  func connectionToTheHostKeepsToThePeerItComesFrom(source: String, destination: String, middle: String) {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    let headers = source.contains(":") ? 60 : 40
    let datagram = { (a: inout Plane) in a.send([Self.syn(from: source, to: middle)]).datagrams }
    m.limit(2, to: 1280)
    #expect(m.receive(datagram(&a)).packets.map(Self.offer) == [1420 - headers])
    m.limit(1, to: 1290)
    #expect(m.receive(datagram(&a)).packets.map(Self.offer) == [1290 - headers])
    m.draft.settings.mtu = 1285
    #expect(m.receive(datagram(&a)).packets.map(Self.offer) == [1285 - headers])
  }

  @Test(arguments: families)
  func connectionThroughUsKeepsToBothPeers(source: String, destination: String, middle: String) {
    var a = Plane(1)
    var m = Plane(2)
    var b = Plane(3)
    Self.chain(&a, &m, &b)
    let headers = source.contains(":") ? 60 : 40
    for (first, second, clamped) in [
      (nil, 1280, 1280), (1280, nil, 1280), (1300, 1290, 1290), (9000, 8000, 1420),
    ] {
      m.limit(1, to: first)
      m.limit(2, to: second)
      let datagrams = a.send([Self.syn(from: source, to: destination)]).datagrams
      let packets = b.receive(m.receive(datagrams).datagrams).packets
      #expect(packets.map(Self.offer) == [clamped - headers])
    }
  }
}
