internal import Net

/// What became of a route in selection, and why it is not the one in use.
public enum RouteVerdict: Sendable, Equatable {
  /// Packets go this way.
  case selected
  /// The prefix is our own.
  case local
  /// Not a route: the prefix was lost, and is held unreachable (RFC 8966 §3.5.4).
  case held
  /// The link to the neighbour is unusable.
  case linkDown
  /// The feasibility condition forbids it (§3.5.1): we announced the source with `distance` at sequence number `seqno`,
  /// and only less than that, or a newer number, is sure to be no way through ourselves.
  case unfeasible(seqno: Seqno, distance: Metric)
  /// Its metric is larger than that of the route in use by this much; 0 is a tie, which the route in use wins.
  case worse(by: Metric)
  /// Its metric is smaller, but was not for long enough: its smoothed metric must fall below that of the route in use
  /// (appendix A.3).
  case unproven(smoothed: Metric, mustBeBelow: Metric)
  /// It became usable since the last choice, and the next one will see it.
  case unseen
}

extension RouteSelection {
  /// What the choice of `inUse` says about `route`, whose source has the feasibility distance `distance`.
  static func verdict(
    on route: Route, inUse: Route?, distance: FeasibilityDistance?, halfLife: Duration, at now: Instant
  ) -> RouteVerdict {
    if route.neighbour == inUse?.neighbour { return .selected }
    guard route.metric.isFinite else { return .linkDown }
    if let distance, !distance.admits(seqno: route.seqno, metric: route.referenceMetric) {
      return .unfeasible(seqno: distance.seqno, distance: distance.metric)
    }
    guard let inUse else { return .unseen }
    guard route.metric < inUse.metric else {
      return .worse(by: Metric(route.metric.rawValue - inUse.metric.rawValue))
    }
    return .unproven(
      smoothed: Metric(rounding: route.smoothedMetric(halfLife: halfLife, at: now)),
      mustBeBelow: Metric(rounding: inUse.smoothedMetric(halfLife: halfLife, at: now)))
  }
}

extension Metric {
  fileprivate init(rounding value: Double) {
    self.init(UInt16(min(max(value.rounded(), 0), Double(UInt16.max))))
  }
}
