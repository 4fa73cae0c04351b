import CAllocations
import Mesh
import Net
import Noise
import Simulation
import Testing

@Suite struct AllocationTests {
  @Test func theCounterCounts() {
    let before = CAllocations_count()
    let first = Published(1)
    let second = [UInt8](repeating: 1, count: Int(before & 7) + 100)
    let after = CAllocations_count()
    withExtendedLifetime((first, second)) {}
    #expect(after - before >= 2)
  }

  @Test func aSteadyTurnAllocatesNothing() {
    var a = Plane(1)
    var m = Plane(2)
    connect(&a, as: 1, &m, as: 1, babel: true)
    let far = Sessions.pair(initiator: 900, responder: 901, at: a.now).initiator
    m.addPeer(2, current: far, path: Plane.path(2), babel: true)
    a.route("0.0.0.0/0", Route(owner: PeerID(rawValue: 1)))
    m.route("10.0.0.0/24", Route(.peer(PeerID(rawValue: 1)), sources: [PeerID(rawValue: 1)]))
    m.route("10.0.2.0/24", Route(.peer(PeerID(rawValue: 2)), sources: [PeerID(rawValue: 70)]))
    m.route(
      "10.0.2.0/25", from: "10.0.0.0/28", Route(.peer(PeerID(rawValue: 2)), sources: [PeerID(rawValue: 2)]))
    m.draft.settings.transit = .process
    m.draft.settings.ownAddresses = [.v4(IPv4Address(10, 0, 0, 9))]
    let tableOfA = a.draft.freeze()
    let tableOfM = m.draft.freeze()
    let path = Plane.path(1)
    let now = a.now
    var batch = PacketBatch(bufferCount: 4, bufferCapacity: 2048)
    let packets = ["10.0.0.9", "10.0.2.1"].map {
      TestPacket.make(from: "10.0.0.1", to: $0, length: 1000)
    }
    var delivered = 0
    var sent = 0
    func turn() {
      batch.removeAll()
      for index in 0..<4 {
        let packet = packets[index / 2 % 2]
        _ = batch.append(copying: packet.span.bytes)
      }
      a.outbound.process(&batch, table: tableOfA, at: now)
      // The same memory is what the other side receives.
      let inPath = batch.append(path)
      for index in 0..<4 {
        batch[index].path = inPath
        batch[index].disposition = .pending
      }
      m.inbound.process(&batch, table: tableOfM, at: now)
      m.outbound.relay(&batch, table: tableOfM, at: now)
      for index in 0..<4 {
        if batch[index].disposition == .deliver { delivered += 1 }
        if batch[index].disposition == .send { sent += 1 }
      }
    }
    // Eleven turns of four stay in the first word of the replay window: the standard library's loop to the next one
    // allocates when it is not specialised, in debug builds.
    turn()
    _ = m.drainEvents()
    let before = CAllocations_count()
    for _ in 0..<10 { turn() }
    let after = CAllocations_count()
    #expect(delivered == 11 * 2 && sent == 11 * 2)
    #expect(after == before)
  }
}
