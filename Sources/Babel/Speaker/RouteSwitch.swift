internal import Net

/// A change of the route in use for one prefix, and why it was made.
public struct RouteSwitch: Sendable, Equatable {
  /// Why the route in use was changed.
  public enum Reason: String, Sendable, CaseIterable {
    /// There was none, and one was announced or became feasible.
    case found = "route found"
    /// Another one has the better metric, and has had it long enough.
    case better = "better metric"
    /// The link to the neighbour is unusable, or the neighbour fell silent.
    case linkDown = "link down"
    /// The neighbour announced values that do not meet the feasibility condition (RFC 8966 §3.5.1).
    case unfeasible = "unfeasible"
    /// The neighbour retracted the route.
    case retracted
    /// The neighbour did not renew the route in time.
    case expired
    /// The neighbour may not announce the prefix any longer.
    case filtered
    /// The neighbour began a new life and has forgotten its routes.
    case restarted = "neighbour restarted"
    /// The neighbour was removed, or Babel with it was switched off.
    case removed = "neighbour removed"
    /// This node announces the prefix itself from now on.
    case originated = "announced by this node"
    /// This node announces it no longer.
    case withdrawn = "withdrawn by this node"
    /// The prefix was held after its loss, and nobody can send packets for it here any more.
    case released = "hold ended"
  }

  /// The destination.
  public var key: RouteKey
  /// The neighbour in use before; `nil` if there was none.
  public var former: NeighbourID?
  /// The metric of its route as it is now; infinity if it is gone or unusable.
  public var formerMetric: Metric
  /// The neighbour in use from now on; `nil` if there is none.
  public var current: NeighbourID?
  /// The metric of its route.
  public var metric: Metric
  /// Why.
  public var reason: Reason
}
