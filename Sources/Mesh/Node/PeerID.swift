/// The dense index of a peer in this node's tables; reused after the peer is gone.
@frozen
public struct PeerID: Hashable, Sendable, BitwiseCopyable, Comparable {
  /// The index.
  public let rawValue: UInt32

  /// Makes the id with this index.
  @inlinable
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Orders by number.
  @inlinable
  public static func < (lhs: PeerID, rhs: PeerID) -> Bool {
    lhs.rawValue < rhs.rawValue
  }
}
