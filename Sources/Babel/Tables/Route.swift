internal import Net

/// One neighbour's way to a destination (RFC 8966 §3.2.6).
///
/// A retracted route is no row.
struct Route: Sendable {
  // The order is that of least padding: 48 octets in all.

  /// Who announces it, and where packets go.
  let neighbour: NeighbourID
  /// The originator's sequence number.
  private(set) var seqno: Seqno
  /// The neighbour's metric; feasibility is decided by it, never by ours.
  private(set) var referenceMetric: Metric
  /// What the configuration adds to the cost of the link.
  var penalty = Metric.zero
  /// Our metric; infinite while the link is unusable.
  private(set) var metric = Metric.infinity
  /// How often the neighbour promised to announce it.
  private var interval = Interval.zero
  private var isRefreshRequested = false
  /// Whether what the neighbour said has been forgotten since: its retraction may be lost, so it must be announced again.
  private(set) var isStale = false
  /// The originator.
  private(set) var routerID: RouterID
  /// When the route is gone unless it is announced again.
  private(set) var expiry = Instant.distantFuture
  private var smoothedAt = Instant.zero
  private var smoothed = 0.0

  /// The route that `update` announces; `nil` for a retraction.
  init?(_ update: Update, from neighbour: NeighbourID) {
    guard let routerID = update.routerID, update.metric.isFinite else { return nil }
    self.neighbour = neighbour
    self.routerID = routerID
    seqno = update.seqno
    referenceMetric = update.metric
  }

  /// Takes the values of a newer announcement.
  mutating func replace(with other: Route) {
    routerID = other.routerID
    seqno = other.seqno
    referenceMetric = other.referenceMetric
    penalty = other.penalty
  }

  /// Whether `other` announces the same.
  func announcesSame(as other: Route) -> Bool {
    routerID == other.routerID && seqno == other.seqno && referenceMetric == other.referenceMetric
      && penalty == other.penalty
  }

  /// Starts the life of the route anew: it ends after 3.5 intervals, and after 2.5 we ask (appendix B).
  mutating func renew(_ interval: Interval, at now: Instant) {
    self.interval = interval
    isRefreshRequested = false
    isStale = false
    expiry = Instant(nanoseconds: now.nanoseconds + interval.nanoseconds / 2 * 7)
  }

  /// Has the route end sooner.
  mutating func expire(by end: Instant) {
    expiry = min(expiry, end)
  }

  /// When to ask for that; later than any clock once asked.
  var refresh: Instant {
    isRefreshRequested || expiry == .distantFuture
      ? .distantFuture : Instant(nanoseconds: expiry.nanoseconds - interval.nanoseconds)
  }

  /// Nothing shows any more whether the neighbour still announces it.
  mutating func becameStale() {
    isStale = true
  }

  /// Notes that an update was asked for.
  mutating func refreshWasRequested() {
    isRefreshRequested = true
  }

  /// Brings the metric up to date with the cost of the link, which is never zero; that of a stale route stays infinite.
  mutating func setCost(_ cost: Metric, halfLife: Duration, at now: Instant) {
    guard !isStale || !cost.isFinite else { return }
    let new = referenceMetric + max(cost, Metric(1)) + penalty
    guard new != metric else { return }
    // A way that has just become usable must prove itself: it starts half as bad again.
    smoothed =
      metric.isFinite ? smoothedMetric(halfLife: halfLife, at: now) : Double(new.rawValue) * 1.5
    smoothedAt = now
    metric = new
  }

  /// The metric as it was a while ago: the difference to the metric halves in each half-life (appendix A.3).
  func smoothedMetric(halfLife: Duration, at now: Instant) -> Double {
    let current = Double(metric.rawValue)
    let halves = Double(now.nanoseconds - smoothedAt.nanoseconds) / Double(halfLife.nanoseconds)
    guard halves < 64 else { return current }
    let whole = halves.rounded(.down)
    var difference = smoothed - current
    for _ in 0..<Int(max(whole, 0)) { difference /= 2 }
    // Between two halvings a straight line is near enough: it is off by 6 % at most.
    return current + difference * (1 - (halves - whole) / 2)
  }
}
