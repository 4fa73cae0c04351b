public import Net

extension Status {
  /// One way to a peer.
  public struct Path: Sendable, Equatable {
    /// What is known about it.
    public enum State: String, Sendable {
      /// It answered the last time it was asked.
      case alive
      /// It did not answer.
      case silent
      /// It was not asked yet, or only with others that may have been quicker.
      case untried
      /// The kernel takes no packet for it.
      case failed
    }

    /// The peer's endpoint.
    public var endpoint: Endpoint
    /// Our address, where the path is bound to it.
    public var source: IPAddress?
    /// What is known about it.
    public var state = State.untried
    /// Whether packets to the peer take it.
    public var isInUse = false
    /// Whether the operator wants it in use as long as it works.
    public var isPinned = false
    /// The smoothed round-trip time, once measured.
    public var roundTrip: Duration?
    /// The part of the last probes that was lost, in thousandths.
    public var lossPerMille = 0
    /// The largest packet that it is known to carry whole, in octets of inner packet.
    public var mtu: Int?
    /// How long it has been in use.
    public var useTime: Duration?

    /// A path of which nothing is known.
    public init(endpoint: Endpoint) {
      self.endpoint = endpoint
    }
  }
}
