public import Net

/// What the data path has seen of the link to one neighbour.
///
/// Traffic are packets of hosts, unlike routing messages and keepalives.
public struct LinkActivity: Sendable, Equatable {
  /// When the first packet of traffic was sent of those after which nothing was heard; `nil` if there are none.
  public var unansweredSince: Instant?
  /// When anything authentic was heard last, be it traffic or not.
  public var lastHeard: Instant
  /// When traffic was sent last.
  public var lastSent: Instant
  /// When traffic was received last.
  public var lastReceived: Instant

  /// Makes an activity.
  public init(unansweredSince: Instant?, lastHeard: Instant, lastSent: Instant, lastReceived: Instant) {
    self.unansweredSince = unansweredSince
    self.lastHeard = lastHeard
    self.lastSent = lastSent
    self.lastReceived = lastReceived
  }
}
