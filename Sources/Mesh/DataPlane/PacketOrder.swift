public import Net

/// When a peer sealed a packet, compared with its other packets: WireGuard numbers what the network may reorder.
public struct PacketOrder: Sendable, Equatable, Comparable {
  /// When the session was made.
  public var session: Instant
  /// The packet's number in it.
  public var counter: UInt64

  /// Makes an order.
  public init(session: Instant, counter: UInt64) {
    self.session = session
    self.counter = counter
  }

  /// Whether the first was sealed before.
  public static func < (lhs: PacketOrder, rhs: PacketOrder) -> Bool {
    (lhs.session, lhs.counter) < (rhs.session, rhs.counter)
  }
}
