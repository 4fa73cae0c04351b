public import Net

/// One change of the path to a peer, remembered for `explain`.
public struct PathSwitch: Sendable, Equatable {
  /// Why.
  public enum Reason: String, Sendable {
    /// An authenticated packet came from elsewhere.
    case roamed = "the peer is elsewhere"
    /// A handshake was answered there first.
    case race = "first to answer a handshake"
    /// The former path did not answer, this one did.
    case silence = "no answer along the former path"
    /// The kernel takes no packet for the former path.
    case refused = "the former path cannot be sent along"
    /// An ICMP error said so, and a probe confirmed it.
    case unreachable = "reported unreachable"
    /// This path is faster, or loses less.
    case better = "better round-trip time or loss"
    /// The operator said so.
    case command = "set by the operator"
    /// The configuration, or a name in it, has other endpoints.
    case configuration = "configured"
    /// The host's network has changed.
    case network = "the network changed"
  }

  /// When.
  public var time: Instant
  /// The endpoint before; `nil` if there was none.
  public var former: Endpoint?
  /// The endpoint from then on.
  public var current: Endpoint
  /// Why.
  public var reason: Reason

  /// Makes a record.
  public init(time: Instant, former: Endpoint?, current: Endpoint, reason: Reason) {
    self.time = time
    self.former = former
    self.current = current
    self.reason = reason
  }
}
