import Mesh
import Net
import SystemPackage
import Tun

/// Sends what the control thread has to send: handshake messages as they are, packets sealed.
///
/// Slow paths only.
struct ControlEgress: ~Copyable {
  /// AF41 without ECN bits: what WireGuard's handshakes carry (`reference` 1.1).
  private static var handshakeTrafficClass: UInt8 { 0x88 }

  /// The peer of a message to a stranger: what it finds on its way is no news about any of ours.
  private static var nobody: PeerID { PeerID(rawValue: .max) }

  private let link: LaneLink
  private var outbound: Outbound
  private var batch = PacketBatch(bufferCount: 64, bufferCapacity: 65535)
  private var sender: DatagramWriter
  private let errors = ErrorQueue(capacity: 16)
  private let clock = SystemClock()

  init(_ socket: UDPSocket) throws {
    link = try LaneLink()
    outbound = Outbound(events: link.events, drops: link.drops)
    sender = socket.writer(capacity: 64)
  }

  /// What died here, by reason.
  var drops: DropCounters { link.drops }

  /// Sends along this socket from now on.
  mutating func move(to socket: UDPSocket) {
    sender.move(to: socket)
  }

  /// Queues a handshake message to a peer, or to a stranger.
  mutating func send(_ message: [UInt8], along path: Path, to peer: PeerID?) {
    if batch.count == batch.bufferCount { flush() }
    guard let index = unsafe batch.append(copying: message.span.bytes) else { return }
    batch[index].peer = (peer ?? Self.nobody).rawValue
    batch[index].path = batch.append(path)
    batch[index].dscp = Self.handshakeTrafficClass
    batch[index].disposition = .send
  }

  /// Seals a packet for a peer and queues it; an empty one is a keepalive.
  mutating func seal(_ packet: [UInt8], to peer: PeerID, along path: Path? = nil, table: ForwardingTable) {
    if batch.count == batch.bufferCount { flush() }
    _ = unsafe outbound.seal(
      packet.span.bytes, to: peer, along: path, in: &batch, table: table, at: clock.now)
  }

  /// Seals a packet for a peer and sends it along this path and no other; unless it `mayFragment`, whole or not at all.
  ///
  /// What is queued goes first. A packet that has any length of its own is padded to 16 octets, but not beyond the MTU.
  mutating func probe(
    _ packet: [UInt8], to peer: PeerID, along path: Path, mayFragment: Bool, table: ForwardingTable
  ) {
    flush()
    let size = mayFragment ? nil : packet.count
    guard
      unsafe outbound.seal(
        packet.span.bytes, to: peer, along: path, size: size, in: &batch, table: table, at: clock.now)
    else { return }
    let result = sender.probe(&batch, mayFragment: mayFragment)
    _ = link.note(result, batch)
    batch.removeAll()
    if result.error == .messageTooLong { noteTooLong(path.remote) }
  }

  /// Finds out how long a datagram may be there that the kernel has just refused for its length.
  ///
  /// The lane may be quicker to take the error; then the length is not known.
  private func noteTooLong(_ remote: Endpoint) {
    var mtu = 0
    _ = errors.drain(remote.address.family, of: sender.socket) { error in
      if case .tooBig(let limit) = error.kind, error.reporter == nil, error.remote.address == remote.address {
        mtu = limit
      } else {
        _ = link.note(error, at: clock.now)
      }
    }
    link.note(.icmp(remote, .tooBig(mtu: mtu)))
  }

  /// Sends what is queued.
  mutating func flush() {
    guard batch.count > 0 else { return }
    _ = link.note(sender.send(&batch), batch)
    batch.removeAll()
  }

  /// What the kernel refused.
  func takeTroubles() -> [LaneLink.Trouble] {
    link.takeTroubles()
  }
}
