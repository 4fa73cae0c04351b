internal import Net

/// Which route to use (RFC 8966 §3.6, appendix A.3).
///
/// The smallest metric wins, but a route in use is only left for one whose metric *and* smoothed metric are better: what
/// is better for a moment does not make routes flap. A route that became unusable is left at once.
struct RouteSelection {
  /// The choice; `nil` if no route is usable.
  var neighbour: NeighbourID?
  /// Whether a better route waits for its smoothed metric to follow.
  var isPending = false

  /// Chooses among `routes`, of which `current` is in use; `isUsable` says whether a route is feasible.
  init(
    _ routes: RouteList, current: NeighbourID?, halfLife: Duration, at now: Instant,
    isFeasible: (Route) -> Bool
  ) {
    var best: Route?
    var inUse: Route?
    for route in routes where route.metric.isFinite && isFeasible(route) {
      if route.neighbour == current { inUse = route }
      if let other = best, !Self.isBetter(route, other) { continue }
      best = route
    }
    guard let inUse, let best, best.metric < inUse.metric else {
      neighbour = inUse?.neighbour ?? best?.neighbour
      return
    }
    let threshold = inUse.smoothedMetric(halfLife: halfLife, at: now)
    var chosen: Route?
    for route in routes where route.metric < inUse.metric {
      guard route.smoothedMetric(halfLife: halfLife, at: now) < threshold, isFeasible(route) else { continue }
      if let other = chosen, !Self.isBetter(route, other) { continue }
      chosen = route
    }
    neighbour = chosen?.neighbour ?? inUse.neighbour
    isPending = chosen?.neighbour != best.neighbour
  }

  // Sequence numbers play no part: a newer one is no better way (§3.6).
  private static func isBetter(_ route: Route, _ other: Route) -> Bool {
    route.metric != other.metric ? route.metric < other.metric : route.neighbour < other.neighbour
  }
}
