public import Net
public import Noise

/// One peer as a Babel neighbour, as operators know it from babeld.
public struct NeighbourRow: Sendable, Equatable {
  /// The peer.
  public var publicKey: PublicKey
  /// The number of the peer on this node.
  public var number: UInt32
  /// The link-local address heard last; `nil` before the first packet.
  public var address: IPv6Address?
  /// Whether the peer is known to be a meshd.
  public var isMeshd = false
  /// Whether there is a session to speak through.
  public var isUp = false
  /// The last 16 multicast Hellos, newest in the highest bit.
  public var multicastReach: UInt16 = 0
  /// The last 16 unicast Hellos.
  public var unicastReach: UInt16 = 0
  /// The cost it is told.
  public var rxcost: UInt16 = .max
  /// The cost it tells us.
  public var txcost: UInt16 = .max
  /// The cost of the link; 65535 is unusable.
  public var cost: UInt16 = .max
  /// The smoothed round-trip time (RFC 9616); `nil` before it was measured.
  public var roundTrip: Duration?
  /// What it adds to the cost.
  public var roundTripCost: UInt16 = 0
  /// What changes with every packet; left out where rows are compared.
  public var activity: Activity?

  /// What changes with every packet.
  public struct Activity: Sendable, Equatable {
    /// How many routes it announces.
    public var routeCount: Int
    /// How long ago its last Hello came.
    public var silence: Duration?

    /// Makes the part.
    public init(routeCount: Int, silence: Duration?) {
      self.routeCount = routeCount
      self.silence = silence
    }
  }

  /// A neighbour not heard of.
  public init(publicKey: PublicKey, number: UInt32) {
    self.publicKey = publicKey
    self.number = number
  }
}
