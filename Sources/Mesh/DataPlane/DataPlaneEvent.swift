public import Net
public import Noise

/// What a lane tells the control thread: the one arrow up.
public enum DataPlaneEvent: Sendable {
  /// A handshake message or cookie reply of the right length and, where it has one, mac1; not yet authentic.
  case handshake([UInt8], Path)
  /// An authentic Babel packet, IPv6 header included, and the way it came.
  case control(PeerID, [UInt8], arrival: Instant, order: PacketOrder, path: Path?)
  /// A packet for a peer without a session that may send; to be staged and sealed once there is one.
  case needsSession(PeerID, [UInt8])
  /// The first authentic packet under a peer's `next` keypair: it becomes `current`.
  case keyConfirmed(PeerID, ReceiverIndex)
  /// An authentic packet that is no probe of a path came along another path than those before it.
  case endpointObserved(PeerID, Path)
}
