import Mesh
import Net
import Noise
import Simulation
import Testing

@Suite struct OutboundTests {
  private static let peer = PeerID(rawValue: 1)

  /// 10.0.0.1 and 10.0.0.2, each the other's peer 1.
  private static func join(_ a: inout Plane, _ b: inout Plane) {
    connect(&a, as: 1, &b, as: 1)
    a.route("10.0.0.2/32", Route(owner: peer))
    b.route("10.0.0.1/32", Route(owner: peer))
  }

  @Test(arguments: AEAD.Backend.allCases)
  func everySizeArrivesWhole(backend: AEAD.Backend) {
    var a = Plane(1, backend: backend)
    var b = Plane(2, backend: backend)
    Self.join(&a, &b)
    for start in stride(from: 20, through: 1420, by: 100) {
      let packets = (start..<min(start + 100, 1421)).map {
        TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: $0)
      }
      let sent = a.send(packets)
      for (packet, slot) in zip(packets, sent) {
        #expect(slot.disposition == .send && slot.path == Plane.path(1))
        let padded = min((packet.count + 15) / 16 * 16, 1420)
        #expect(slot.bytes.count == 32 + padded, "\(packet.count) octets")
      }
      #expect(b.receive(sent.datagrams).packets == packets)
    }
    #expect(a.activity(1).sentBytes == b.activity(1).receivedBytes)
    #expect(a.activity(1).lastDataSent == a.now && b.activity(1).lastDataReceived == b.now)
  }

  @Test func packetsSmallerThanAHeaderAreCarriedOnlyBetweenControlThreads() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    for size in 1..<20 {
      var batch = PacketBatch(bufferCount: 1, bufferCapacity: 2048)
      let packet = [UInt8](repeating: 0x45, count: size)
      let sealed = a.outbound.seal(
        packet.span.bytes, to: Self.peer, in: &batch, table: a.draft.freeze(), at: a.now)
      #expect(sealed)
      #expect(batch[0].length == 32 + UInt32((size + 15) / 16 * 16))
      #expect(b.receive(Sent.all(of: batch).datagrams).packets.isEmpty)
      #expect(a.send([packet]).datagrams.isEmpty)
    }
    #expect(a.drops[.malformed] == 19 && b.drops[.malformed] == 19)
  }

  @Test func paddingFollowsTheMTU() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    for mtu in [1280, 1300, 1419, 1500, 9000] {
      a.draft.settings.mtu = mtu
      for length in [mtu - 17, mtu - 1, mtu] where length <= 2048 {
        let sent = a.send([TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: length)])
        #expect(sent.datagrams.first?.count == 32 + max(length, min((length + 15) / 16 * 16, mtu)))
      }
    }
  }

  @Test func aKeepaliveIs32OctetsAndNoData() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    var batch = PacketBatch(bufferCount: 1, bufferCapacity: 64)
    let sealed = a.outbound.sealKeepalive(
      to: Self.peer, along: Plane.path(9), in: &batch, table: a.draft.freeze(), at: a.now)
    #expect(sealed)
    let sent = Sent.all(of: batch)
    #expect(sent[0].bytes.count == 32 && sent[0].path == Plane.path(9))
    #expect(b.receive(sent.datagrams).allSatisfy { $0.disposition == .done })
    #expect(b.activity(1).lastAuthenticatedReceived == b.now && b.activity(1).lastDataReceived == .zero)
    #expect(a.activity(1).lastAuthenticatedSent == a.now && a.activity(1).lastDataSent == .zero)
    #expect(b.activity(1).receivedBytes == 32)
  }

  @Test func countersRiseByOneInOrder() {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    let packets = (0..<150).map { TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: 100 + $0) }
    let counters = a.send(packets).datagrams.map { $0.span.bytes.little64(8) }
    #expect(counters == (0..<150).map { UInt64($0) })
  }

  @Test func interleavedPeersKeepTheirOrder() {
    var a = Plane(1)
    var b = Plane(2)
    var c = Plane(3)
    connect(&a, as: 1, &b, as: 1)
    connect(&a, as: 2, &c, as: 1)
    a.addPeer(2, current: a.draft[PeerID(rawValue: 2)]?.current, path: Plane.path(2))
    a.route("10.0.0.2/32", Route(owner: PeerID(rawValue: 1)))
    a.route("10.0.0.3/32", Route(owner: PeerID(rawValue: 2)))
    b.route("10.0.0.1/32", Route(owner: PeerID(rawValue: 1)))
    c.route("10.0.0.1/32", Route(owner: PeerID(rawValue: 1)))
    let packets = (0..<40).map {
      TestPacket.make(from: "10.0.0.1", to: $0 % 3 == 0 ? "10.0.0.3" : "10.0.0.2", length: 60 + $0)
    }
    let sent = a.send(packets)
    let toB = sent.filter { $0.path == Plane.path(1) }.datagrams
    let toC = sent.filter { $0.path == Plane.path(2) }.datagrams
    #expect(b.receive(toB).packets == packets.enumerated().filter { $0.offset % 3 != 0 }.map(\.element))
    #expect(c.receive(toC).packets == packets.enumerated().filter { $0.offset % 3 == 0 }.map(\.element))
  }

  @Test func aPacketWithoutRouteIsAnsweredToTheHost() throws {
    var a = Plane(1)
    a.route("10.9.0.0/16", Route(.unreachable))
    let packets = [
      TestPacket.make(from: "10.0.0.1", to: "10.0.0.2"), TestPacket.make(from: "fd00::1", to: "fd00::2"),
      TestPacket.make(from: "10.0.0.1", to: "10.9.0.2"),
    ]
    #expect(a.send(packets).allSatisfy { $0.disposition == .done })
    let replies = Sent.all(of: a.outbound.replies)
    #expect(replies.map(\.disposition) == [.deliver, .deliver, .deliver])
    #expect(a.drops[.noRoute] == 2 && a.drops[.unreachable] == 1)
    let v4 = try #require(replies.first).bytes
    #expect(v4[20] == 3 && v4[21] == 1 && Array(v4[28...]) == packets[0])
    let v6 = replies[1].bytes
    #expect(v6[40] == 1 && v6[41] == 3 && Array(v6[48...]) == packets[1])
    // The next turn starts without them.
    _ = a.send([])
    #expect(a.outbound.replies.count == 0)
  }

  @Test func aPeerWithoutEndpointIsAnsweredAndNotStaged() {
    var a = Plane(1)
    a.addPeer(1, current: Sessions.keypair(local: 1), path: nil)
    a.route("10.0.0.2/32", Route(owner: Self.peer))
    #expect(a.send([TestPacket.make(from: "10.0.0.1", to: "10.0.0.2")]).datagrams.isEmpty)
    #expect(a.drops[.noEndpoint] == 1 && a.outbound.replies.count == 1)
    #expect(a.drainEvents().isEmpty)
  }

  @Test func withoutALiveSessionPacketsGoUpInOrder() {
    var a = Plane(1)
    a.addPeer(1)
    a.route("10.0.0.2/32", Route(owner: Self.peer))
    let packets = (0..<3).map { TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: 61 + 13 * $0) }
    for keypair in [nil, Sessions.pair(initiator: 5, responder: 6).initiator] {
      a.addPeer(1, current: keypair)
      a.now = Instant(nanoseconds: 180_000_000_000)
      #expect(a.send(packets).allSatisfy { $0.disposition == .done })
      #expect(a.events.takeNews())
      #expect(!a.events.takeNews())
      let staged = a.drainEvents().compactMap { event -> [UInt8]? in
        guard case .needsSession(Self.peer, let packet) = event else { return nil }
        return packet
      }
      #expect(staged == packets)
    }
  }

  @Test func theErrorsToTheHostAreLimited() {
    var a = Plane(1)
    let packet = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2")
    var replyCount = 0
    for _ in 0..<20 {
      _ = a.send(Array(repeating: packet, count: 10))
      replyCount += a.outbound.replies.count
    }
    #expect(replyCount == 50)
    a.now = a.now.advanced(by: .milliseconds(3))
    _ = a.send(Array(repeating: packet, count: 10))
    #expect(a.outbound.replies.count == 3)
  }

  @Test(arguments: [(0, 0), (1, 1), (2, 2), (3, 2)] as [(UInt8, UInt8)])
  func theOuterHeaderShowsECNAndNoDSCP(inner: UInt8, outer: UInt8) {
    var a = Plane(1)
    var b = Plane(2)
    Self.join(&a, &b)
    a.route("fd00::2/128", Route(owner: Self.peer))
    for (source, destination) in [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")] {
      let sent = a.send([TestPacket.make(from: source, to: destination, ecn: inner | 0xB8)])
      #expect(sent[0].disposition == .send && sent[0].ecn == outer && sent[0].dscp == 0)
    }
  }
}
