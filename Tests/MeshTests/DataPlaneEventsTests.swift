import Mesh
import Net
import Noise
import Simulation
import Testing

@Suite struct DataPlaneEventsTests {
  @Test func aFloodOfHandshakesIsBoundedAndStarvesNobody() throws {
    var a = Plane(1)
    var b = Plane(2)
    connect(&a, as: 1, &b, as: 1, babel: true)
    let identity = try #require(Sessions.identity(seed: 5))
    b.draft.settings.identity = identity
    let initiation = Sessions.initiation(to: identity.publicKey)
    let cookie = [3, 0, 0, 0] + [UInt8](repeating: 0, count: 60)
    for _ in 0..<20 { _ = b.receive(Array(repeating: cookie, count: 64)) }
    #expect(b.drops[.handshakeQueueFull] == 20 * 64 - 64)
    for _ in 0..<20 { _ = b.receive(Array(repeating: initiation, count: 64)) }
    #expect(b.drops[.handshakeQueueFull] == 20 * 64 - 64 + 20 * 64 - 512)
    var batch = PacketBatch(bufferCount: 1, bufferCapacity: 2048)
    let hello = TestPacket.udp6(from: "fe80::1", to: "ff02::1:6")
    let sealed = a.outbound.seal(
      hello.span.bytes, to: PeerID(rawValue: 1), in: &batch, table: a.draft.freeze(), at: a.now)
    #expect(sealed)
    _ = b.receive(Sent.all(of: batch).datagrams)
    // The control packet comes with the first bounded helping, however many handshakes wait.
    var first: [DataPlaneEvent] = []
    let isMore = b.events.drain(limit: 16) { first.append($0) }
    #expect(isMore)
    #expect(first.count { if case .control = $0 { true } else { false } } == 1)
    #expect(first.count { if case .handshake = $0 { true } else { false } } == 32)
    #expect(b.drainEvents().count == 512 + 64 - 32)
    #expect(b.drops[.controlQueueFull] == 0)
  }

  @Test func theOldestStayInOrderWhenTheQueueOverflowsAndWraps() {
    var a = Plane(1)
    a.addPeer(1)
    a.route("10.0.0.0/8", Route(owner: PeerID(rawValue: 1)))
    var expected: [[UInt8]] = []
    var dropped = 0
    var random = SplitMix64(seed: 9)
    for _ in 0..<40 {
      let packets = (0..<random.next() % 120).map { _ in
        TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: 20 + Int(random.next() % 1400))
      }
      let before = a.drops[.sessionQueueFull]
      _ = a.send(packets)
      let lost = Int(a.drops[.sessionQueueFull] - before)
      dropped += lost
      let staged = a.drainEventsAsPackets()
      expected = packets
      // What fits by octets decides, so a small packet may follow a large one that was refused.
      #expect(staged.count == expected.count - lost)
      #expect(staged.allSatisfy { expected.contains($0) })
      #expect(staged.first == expected.first)
    }
    #expect(dropped == 0)
    _ = a.send((0..<300).map { _ in TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: 1400) })
    let staged = a.drainEventsAsPackets()
    #expect(staged.count == 256 * 1024 / 1400 && a.drops[.sessionQueueFull] == UInt64(300 - staged.count))
  }

  @Test func everyReasonHasItsOwnCounter() {
    let drops = DropCounters()
    for reason in DropReason.allCases { #expect(drops[reason] == 0) }
    #expect(Set(DropReason.allCases.map(\.rawValue)).count == DropReason.allCases.count)
  }
}

extension Plane {
  fileprivate func drainEventsAsPackets() -> [[UInt8]] {
    drainEvents().compactMap { event in
      guard case .needsSession(_, let packet) = event else { return nil }
      return packet
    }
  }
}
