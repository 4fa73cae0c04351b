import Mesh
import Net
import Noise

/// Two nodes and one between them, in memory: what a batch of TCP segments costs outside the system calls.
struct Chain: ~Copyable {
  static let packetCount = 64

  private var source = Lane()
  private var transit = Lane()
  private var sink = Lane()
  private let tables: [ForwardingTable]
  private var batch: PacketBatch
  private let packet: [UInt8]
  private static let now = Instant(nanoseconds: 1_000_000_000)

  private struct Lane: ~Copyable {
    private let events = DataPlaneEvents()
    private let drops = DropCounters()
    var outbound: Outbound
    var inbound: Inbound

    init() {
      outbound = Outbound(events: events, drops: drops)
      inbound = Inbound(events: events, drops: drops)
    }
  }

  /// Segments of `size` octets.
  init(size: Int) {
    let arena = SecretArena()
    func key(_ number: UInt8) -> SymmetricKey {
      SymmetricKey([UInt8](repeating: number, count: 32).span.bytes, in: arena)
    }
    func session(_ number: UInt8) -> [Keypair] {
      (0...1 as ClosedRange<UInt8>).map { end in
        Keypair(
          localIndex: ReceiverIndex(UInt32(number + end)),
          remoteIndex: ReceiverIndex(UInt32(number + 1 - end)),
          isInitiator: end == 0, createdAt: Self.now, sending: key(number + end),
          receiving: key(number + 1 - end))
      }
    }
    let (near, far) = (session(10), session(20))
    tables = [
      Self.table([near[0]], sourcePeer: 0, sinkPeer: 0),
      Self.table([near[1], far[0]], sourcePeer: 0, sinkPeer: 1),
      Self.table([far[1]], sourcePeer: 0, sinkPeer: nil),
    ]
    batch = PacketBatch(bufferCount: Self.packetCount, bufferCapacity: 2048)
    packet = Self.segment(size: size)
  }

  /// A batch goes out at one end.
  mutating func send() {
    let packet = packet
    batch.removeAll()
    for _ in 0..<Self.packetCount { _ = batch.append(copying: packet.span.bytes) }
    source.outbound.process(&batch, table: tables[0], at: Self.now)
  }

  /// A batch goes from one end to the other.
  mutating func cross() {
    send()
    receive()
    transit.inbound.process(&batch, table: tables[1], at: Self.now)
    transit.outbound.relay(&batch, table: tables[1], at: Self.now)
    receive()
    sink.inbound.process(&batch, table: tables[2], at: Self.now)
    precondition(batch[0].disposition == .deliver)
  }

  /// What one lane sent is what the next one received.
  private mutating func receive() {
    for slot in 0..<batch.count { batch[slot].disposition = .pending }
  }

  private static func table(_ keypairs: [Keypair], sourcePeer: UInt32, sinkPeer: UInt32?) -> ForwardingTable {
    var draft = ForwardingTable.Draft()
    let path = Path(remote: Endpoint(address: .v4(IPv4Address(192, 0, 2, 1)), port: 1))
    for (number, keypair) in keypairs.enumerated() {
      let key = PublicKey([UInt8](repeating: UInt8(number), count: 32).span.bytes)
      draft[PeerID(rawValue: UInt32(number))] = PeerEntry(
        publicKey: key, current: keypair, path: path, activity: PeerActivity())
    }
    draft.settings.transit = .process
    draft.allowedIPs[IPPrefix(host: source)] = Route(owner: PeerID(rawValue: sourcePeer))
    draft.allowedIPs[IPPrefix(host: destination)] =
      sinkPeer.map { Route(owner: PeerID(rawValue: $0)) } ?? Route(.local)
    return draft.freeze()
  }

  private static let source = IPAddress.v4(IPv4Address(10, 0, 0, 1))
  private static let destination = IPAddress.v4(IPv4Address(10, 0, 0, 2))

  /// A data segment without options.
  private static func segment(size: Int) -> [UInt8] {
    var packet = ByteWriter(capacity: size)
    packet.append(big16: 0x4500)
    packet.append(big16: UInt16(size))
    packet.append(big32: 0x4000)
    packet.append(big32: 0x4006_0000)
    packet.append(source)
    packet.append(destination)
    for word: UInt32 in [0x1000_2000, 1, 1, 0x5010_FFFF] { packet.append(big32: word) }
    packet.append(contentsOf: [UInt8](repeating: 0, count: size - packet.count))
    return packet.bytes
  }
}
