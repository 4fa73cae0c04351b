/// Why a frame did not arrive.
public enum DropReason: String, Sendable, CaseIterable {
  /// The direction was down.
  case down
  /// The packet was larger than the MTU.
  case mtu
  /// The address translation had no use for it.
  case nat
  /// The queue was full.
  case queue
  /// Bad luck.
  case loss
  /// The interface at the other end did not take it.
  case refused
}
