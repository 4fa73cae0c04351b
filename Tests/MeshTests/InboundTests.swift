import Mesh
import Net
import Noise
import Simulation
import Testing

@Suite struct InboundTests {
  private static let peer = PeerID(rawValue: 1)

  private static func join(_ a: inout Plane, _ b: inout Plane, babel: Bool = false) {
    connect(&a, as: 1, &b, as: 1, babel: babel)
    a.route("10.0.0.2/32", Route(owner: peer))
    b.route("10.0.0.1/32", Route(owner: peer))
  }

  private static let packet = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2")

  @Test func aReplayIsDroppedAndTellsNothing() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    let datagrams = a.send([Self.packet, Self.packet]).datagrams
    #expect(b.receive([datagrams[1], datagrams[0], datagrams[1]]).packets.count == 2)
    _ = b.drainEvents()
    let received = b.activity(1).receivedBytes
    #expect(b.receive(datagrams, along: Plane.path(7)).packets.isEmpty)
    #expect(b.drops[.replayed] == 3)
    #expect(b.activity(1).receivedBytes == received)
    #expect(b.drainEvents().isEmpty)
  }

  @Test func aForgedPacketTellsNothingAndSparesItsNeighbours() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    var datagrams = a.send(Array(repeating: Self.packet, count: 5)).datagrams
    datagrams[0][16] ^= 1
    datagrams[2][datagrams[2].count - 1] ^= 0x80
    datagrams[4][8] ^= 1
    #expect(b.receive(datagrams).packets == [Self.packet, Self.packet])
    #expect(b.drops[.forged] == 3)
    // A forged counter has not moved the window: the real ones are still good.
    let late = a.send([Self.packet]).datagrams
    #expect(b.receive(late).packets.count == 1)

    var c = Plane(3)
    Self.join(&a, &c)
    var forged = a.send([Self.packet]).datagrams
    forged[0][20] ^= 1
    #expect(c.receive(forged, along: Plane.path(7)).packets.isEmpty)
    #expect(c.drainEvents().isEmpty && c.activity(1).lastAuthenticatedReceived == .zero)
  }

  @Test func anUnknownReceiverAndAnExpiredKeyAreDropped() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    var datagrams = a.send([Self.packet, Self.packet]).datagrams
    datagrams[0][5] ^= 0x40
    #expect(b.receive([datagrams[0]]).packets.isEmpty)
    #expect(b.drops[.unknownReceiver] == 1)
    b.now = a.now.advanced(by: .seconds(180))
    #expect(b.receive([datagrams[1]]).packets.isEmpty)
    #expect(b.drops[.expiredKey] == 1)
  }

  @Test func theFirstPacketUnderNextIsReportedOnce() {
    var a = Plane(1)
    var b = Plane(2)
    let pair = Sessions.pair(initiator: 1, responder: 2, at: a.now)
    a.addPeer(1, current: pair.initiator)
    b.addPeer(1, next: pair.responder)
    a.route("10.0.0.2/32", Route(owner: Self.peer))
    b.route("10.0.0.1/32", Route(owner: Self.peer))
    // `next` only receives.
    b.route("10.0.0.9/32", Route(owner: Self.peer))
    #expect(b.send([TestPacket.make(from: "10.0.0.2", to: "10.0.0.9")]).datagrams.isEmpty)
    _ = b.drainEvents()
    for _ in 0..<3 { #expect(b.receive(a.send([Self.packet]).datagrams).packets.count == 1) }
    let events = b.drainEvents()
    #expect(events.count == 1)
    guard case .keyConfirmed(Self.peer, ReceiverIndex(2)) = events.first else {
      Issue.record("\(events)")
      return
    }
  }

  @Test func aNewPathIsReportedOncePerSeriesAndOnlyWhenAuthentic() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    _ = b.receive(a.send([Self.packet]).datagrams)
    _ = b.drainEvents()
    for _ in 0..<4 { _ = b.receive(a.send([Self.packet, Self.packet]).datagrams, along: Plane.path(7)) }
    let events = b.drainEvents()
    #expect(events.count == 1)
    guard case .endpointObserved(Self.peer, Plane.path(7)) = events.first else {
      Issue.record("\(events)")
      return
    }
  }

  @Test func datagramsOfEveryLengthAndTypeAreHarmless() {
    var b = Plane(2)
    for length in 0...200 {
      for type in 0...5 as ClosedRange<UInt8> {
        var datagram = [UInt8](repeating: 0, count: length)
        if length > 0 { datagram[0] = type }
        #expect(b.receive([datagram]).allSatisfy { $0.disposition == .done })
      }
    }
    // Initiation, response and cookie reply of the right length, and data of 32 octets and more.
    #expect(b.drops[.unknownReceiver] == 169)
    #expect(b.drops[.unknownMessage] == 201 * 6 - 169 - 3)
    #expect(b.drops[.invalidMAC] == 2)
    #expect(b.drainEvents().count == 1)
  }

  @Test func handshakesForOurKeyGoUpWithTheirPath() throws {
    var b = Plane(2)
    let identity = try #require(Sessions.identity(seed: 5))
    let initiation = Sessions.initiation(to: identity.publicKey)
    // Without a key of our own nothing is for us.
    _ = b.receive([initiation])
    #expect(b.drops[.invalidMAC] == 1 && b.drainEvents().isEmpty)

    b.draft.settings.identity = identity
    var reserved = initiation
    reserved[2] = 1
    var forged = initiation
    forged[100] ^= 1
    let foreign = Sessions.initiation(to: Sessions.publicKey(3))
    _ = b.receive([initiation, reserved, forged, foreign], along: Plane.path(3))
    let events = b.drainEvents()
    guard events.count == 1, case .handshake(initiation, Plane.path(3)) = events[0] else {
      Issue.record("\(events)")
      return
    }
    #expect(b.drops[.unknownMessage] == 1 && b.drops[.invalidMAC] == 3)
  }

  @Test func trailingOctetsAreTrimmedAndLyingLengthsDropped() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    func carry(_ packet: [UInt8]) -> [[UInt8]] {
      var batch = PacketBatch(bufferCount: 1, bufferCapacity: 2048)
      let sealed = a.outbound.seal(
        packet.span.bytes, to: Self.peer, in: &batch, table: a.draft.freeze(), at: a.now)
      #expect(sealed)
      return b.receive(Sent.all(of: batch).datagrams).packets
    }
    #expect(carry(Self.packet + [1, 2, 3]) == [Self.packet])
    var tooLong = Self.packet
    tooLong[3] = 200
    var shortHeader = Self.packet
    shortHeader[0] = 0x44
    var shortTotal = Self.packet
    shortTotal[3] = 19
    var version = Self.packet
    version[0] = 0x55
    for packet in [tooLong, shortHeader, shortTotal, version, [0]] { #expect(carry(packet).isEmpty) }
    #expect(b.drops[.malformed] == 5)
  }

  @Test(arguments: 0..<4 as Range<UInt8>, 0..<4 as Range<UInt8>)
  func congestionIsCombinedAsRFC6040Says(inner: UInt8, outer: UInt8) {
    // Rows: inner Not-ECT, ECT(1), ECT(0), CE. Columns: the same outside.
    let table: [[UInt8?]] = [[0, 0, 0, nil], [1, 1, 1, 3], [2, 1, 2, 3], [3, 3, 3, 3]]
    for (source, destination) in [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")] {
      var a = Plane(1)
      var b = Plane(2)
      Self.join(&a, &b)
      a.route("fd00::2/128", Route(owner: Self.peer))
      b.route("fd00::1/128", Route(owner: Self.peer))
      let packet = TestPacket.make(from: source, to: destination, ecn: inner)
      let received = b.receive(a.send([packet]).datagrams, ecn: outer).packets
      let expected = table[Int(inner)][Int(outer)].map {
        TestPacket.make(from: source, to: destination, ecn: $0)
      }
      #expect(received == (expected.map { [$0] } ?? []))
      #expect(b.drops[.congestion] == (expected == nil ? 1 : 0))
    }
  }

  @Test func babelGoesUpAndOtherLinkLocalTrafficDies() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b, babel: true)
    b.draft.settings.linkLocal = IPv6Address(high: 0xFE80 << 48, low: 2)
    var wrongSum = TestPacket.udp6(from: "fe80::1", to: "ff02::1:6")
    wrongSum[46] ^= 1
    var wrongLength = TestPacket.udp6(from: "fe80::1", to: "ff02::1:6")
    wrongLength[45] += 1
    let babel = [
      TestPacket.udp6(from: "fe80::1", to: "ff02::1:6"), TestPacket.udp6(from: "fe80::1", to: "fe80::2"),
    ]
    let others = [
      wrongSum, wrongLength,
      TestPacket.udp6(from: "fe80::1", to: "fe80::3"),
      TestPacket.udp6(from: "fe80::1", to: "ff02::1:6", ports: (6696, 6697)),
      TestPacket.udp6(from: "fe80::1", to: "ff02::1:6", ports: (1, 6696)),
      TestPacket.udp6(from: "fd00::1", to: "ff02::1:6"),
      TestPacket.make(from: "fe80::1", to: "ff02::16", protocolNumber: 0),
      TestPacket.make(from: "fe80::1", to: "fd00::2"),
      TestPacket.make(from: "10.0.0.1", to: "224.0.0.5"),
    ]
    func carry(_ packet: [UInt8]) {
      var batch = PacketBatch(bufferCount: 1, bufferCapacity: 2048)
      let sealed = a.outbound.seal(
        packet.span.bytes, to: Self.peer, in: &batch, table: a.draft.freeze(), at: a.now)
      #expect(sealed)
      #expect(b.receive(Sent.all(of: batch).datagrams).allSatisfy { $0.disposition == .done })
    }
    for packet in babel + others { carry(packet) }
    let up = b.drainEvents().compactMap { event -> [UInt8]? in
      guard case .control(Self.peer, let packet, b.now, _, _) = event else { return nil }
      return packet
    }
    #expect(up == babel)
    #expect(b.drops[.linkLocal] == 9)
  }

  @Test func withoutBabelTheTrieAloneDecides() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    a.route("::/0", Route(owner: Self.peer))
    b.route("fe80::1/128", Route(owner: Self.peer))
    let packets = [
      TestPacket.udp6(from: "fe80::1", to: "ff02::1:6"), TestPacket.make(from: "fe80::1", to: "fe80::2"),
    ]
    #expect(b.receive(a.send(packets).datagrams).packets == packets)
    #expect(b.receive(a.send([TestPacket.make(from: "fe80::3", to: "fe80::2")]).datagrams).packets.isEmpty)
    #expect(b.drops[.disallowedSource] == 1 && b.activity(1).refusedSources == 1)
  }
}
