public import Net

/// When a peer sealed a packet, compared with its other packets: WireGuard numbers what the network may reorder.
public struct PacketOrder: Sendable, Equatable {
  /// When the session was made.
  public var session: Instant
  /// The packet's number in it.
  public var counter: UInt64

  /// Makes an order.
  public init(session: Instant, counter: UInt64) {
    self.session = session
    self.counter = counter
  }

  /// Whether the packet was sealed before `other`, as far as that is known.
  ///
  /// Nothing is known of packets of two sessions: if both ends make one at the same time, which of them the peer uses
  /// does not follow from which is the newer here.
  public func precedes(_ other: PacketOrder) -> Bool {
    session == other.session && counter < other.counter
  }
}
