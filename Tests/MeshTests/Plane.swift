import Mesh
import Net
import Noise
import Simulation

/// One node's data plane with its table, as a lane and the control thread would hold it.
struct Plane: ~Copyable {
  let events = DataPlaneEvents()
  let drops = DropCounters()
  var draft = ForwardingTable.Draft()
  var outbound: Outbound
  var inbound: Inbound
  var now = Instant(nanoseconds: 1_000_000_000)
  private var nextIndex: UInt32

  init(_ id: UInt8, backend: AEAD.Backend? = nil) {
    nextIndex = UInt32(id) << 16
    outbound = Outbound(events: events, drops: drops, backend: backend)
    inbound = Inbound(events: events, drops: drops, backend: backend)
  }

  mutating func freshIndex() -> UInt32 {
    nextIndex += 1
    return nextIndex
  }

  /// What a peer with this id is at this node.
  mutating func addPeer(
    _ id: UInt32, current: Keypair? = nil, next: Keypair? = nil, path: Path? = Plane.path(1),
    babel: Bool = false,
    accept: [IPPrefix]? = nil
  ) {
    draft[PeerID(rawValue: id)] = PeerEntry(
      publicKey: Sessions.publicKey(UInt8(truncatingIfNeeded: id)), current: current, next: next, path: path,
      speaksBabel: babel, accept: accept.map { AddressSet($0) },
      activity: draft[PeerID(rawValue: id)]?.activity ?? PeerActivity())
  }

  /// Says how large a packet the path of a peer carries.
  mutating func limit(_ id: UInt32, to mtu: Int?) {
    guard let peer = draft[PeerID(rawValue: id)] else { return }
    draft[PeerID(rawValue: id)] = PeerEntry(
      publicKey: peer.publicKey, current: peer.current, next: peer.next, path: peer.path, mtu: mtu,
      speaksBabel: peer.speaksBabel, accept: peer.accept, activity: peer.activity)
  }

  func activity(_ id: UInt32) -> PeerActivity {
    draft[PeerID(rawValue: id)]?.activity ?? PeerActivity()
  }

  mutating func route(_ prefix: String, from source: String? = nil, _ route: Route) {
    guard let prefix = IPPrefix(prefix) else { return }
    draft.allowedIPs[prefix, from: source.flatMap { IPPrefix($0) }] = route
  }

  /// Sends packets of the host; returns the slots, then what follows them in memory.
  mutating func send(_ packets: [[UInt8]]) -> [Sent] {
    var batch = PacketBatch(bufferCount: max(packets.count, 1), bufferCapacity: 2048)
    for packet in packets { _ = batch.append(copying: packet.span.bytes) }
    outbound.process(&batch, table: draft.freeze(), at: now)
    return Sent.all(of: batch)
  }

  /// Takes datagrams from the wire; what is left to relay is sealed, as in an ingress lane.
  mutating func receive(_ datagrams: [[UInt8]], along path: Path = Plane.path(1), ecn: UInt8 = 0) -> [Sent] {
    let table = draft.freeze()
    var batch = PacketBatch(bufferCount: max(datagrams.count, 1), bufferCapacity: 2048)
    for datagram in datagrams {
      guard let index = batch.append(copying: datagram.span.bytes) else { continue }
      batch[index].path = batch.append(path)
      batch[index].ecn = ecn
    }
    inbound.process(&batch, table: table, at: now)
    outbound.relay(&batch, table: table, at: now)
    outbound.relay(&inbound.replies, table: table, at: now)
    return Sent.all(of: batch) + Sent.all(of: inbound.replies)
  }

  /// Every event that waits.
  func drainEvents() -> [DataPlaneEvent] {
    var drained: [DataPlaneEvent] = []
    while events.drain({ drained.append($0) }) {}
    return drained
  }

  static func path(_ host: UInt8) -> Path {
    Path(
      remote: Endpoint(address: .v4(IPv4Address(192, 0, 2, host)), port: 51820),
      local: .v4(IPv4Address(192, 0, 2, 254)), interface: 2)
  }
}

/// A slot after a transform, with its octets.
struct Sent {
  var disposition: PacketBatch.Disposition
  var bytes: [UInt8]
  var peer: UInt32
  var ecn: UInt8
  var dscp: UInt8
  var path: Path?

  static func all(of batch: borrowing PacketBatch) -> [Sent] {
    var all: [Sent] = []
    for index in 0..<batch.count {
      let slot = batch[index]
      all.append(
        Sent(
          disposition: slot.disposition, bytes: batch.bytes(index).octets, peer: slot.peer, ecn: slot.ecn,
          dscp: slot.dscp, path: slot.path == PacketBatch.Slot.noPath ? nil : batch.path(slot.path)))
    }
    return all
  }
}

extension [Sent] {
  /// The octets of every slot that goes to the wire.
  var datagrams: [[UInt8]] { filter { $0.disposition == .send }.map(\.bytes) }
  /// The packets for the TUN device.
  var packets: [[UInt8]] { filter { $0.disposition == .deliver }.map(\.bytes) }
}

/// Joins two planes with a session under which both may send; `a` knows `b` as `idOfB` and so on.
func connect(
  _ a: inout Plane, as idOfB: UInt32, _ b: inout Plane, as idOfA: UInt32, babel: Bool = false
) {
  let pair = Sessions.pair(initiator: a.freshIndex(), responder: b.freshIndex(), at: a.now)
  a.addPeer(idOfB, current: pair.initiator, babel: babel)
  b.addPeer(idOfA, current: pair.responder, babel: babel)
}
