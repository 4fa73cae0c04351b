internal import Net

/// How good a route to a source was when this node last announced one (RFC 8966 §3.2.5).
struct FeasibilityDistance: Hashable, Sendable {
  /// The sequence number announced.
  var seqno: Seqno
  /// The metric announced.
  var metric: Metric

  /// Whether a route with `seqno` and `metric` is strictly better than this (§3.5.1).
  func admits(seqno: Seqno, metric: Metric) -> Bool {
    seqno.isNewer(than: self.seqno) || (seqno == self.seqno && metric < self.metric)
  }
}

/// The feasibility distances of this node, by prefix and originator.
///
/// It records what this node sent, never what it received, and that is all that keeps the network free of loops. So a
/// distance is written before the first copy of an update leaves, and forgotten only when no neighbour can still have a
/// route from it.
struct SourceTable: Sendable {
  private struct Source: Hashable, Sendable {
    var key: RouteKey
    var routerID: RouterID
  }

  private struct Row: Sendable {
    var distance: FeasibilityDistance
    var expiry: Instant
  }

  // Only looked up and swept: its order reaches nothing.
  private var rows: [Source: Row] = [:]
  private let lifetime: Duration
  private let capacity: Int
  /// When to look for rows that have expired.
  private(set) var deadline = Instant.distantFuture

  init(lifetime: Duration, capacity: Int) {
    self.lifetime = lifetime
    self.capacity = capacity
  }

  /// The number of rows, expired ones included until the next sweep.
  var count: Int { rows.count }

  /// The distance of `routerID`'s routes to `key`; `nil` if this node announced none in living memory.
  func distance(_ key: RouteKey, _ routerID: RouterID, at now: Instant) -> FeasibilityDistance? {
    guard let row = rows[Source(key: key, routerID: routerID)], row.expiry > now else { return nil }
    return row.distance
  }

  /// Whether a route announced with these values may be used (§3.5.1).
  func isFeasible(
    _ key: RouteKey, _ routerID: RouterID, seqno: Seqno, metric: Metric, at now: Instant
  ) -> Bool {
    distance(key, routerID, at: now)?.admits(seqno: seqno, metric: metric) ?? true
  }

  /// Notes that a route is about to be announced (§3.7.3); `false` if there is no room, and then it must not be.
  mutating func record(
    _ key: RouteKey, _ routerID: RouterID, seqno: Seqno, metric: Metric, at now: Instant
  ) -> Bool {
    let source = Source(key: key, routerID: routerID)
    let expiry = now.advanced(by: lifetime)
    if let row = rows[source], row.expiry > now {
      let isBetter = row.distance.admits(seqno: seqno, metric: metric)
      rows[source] = Row(
        distance: isBetter ? FeasibilityDistance(seqno: seqno, metric: metric) : row.distance, expiry: expiry)
      return true
    }
    guard rows.count < capacity || rows[source] != nil else { return false }
    rows[source] = Row(distance: FeasibilityDistance(seqno: seqno, metric: metric), expiry: expiry)
    deadline = min(deadline, expiry)
    return true
  }

  /// Forgets what has expired.
  mutating func sweep(at now: Instant) {
    rows = rows.filter { $0.value.expiry > now }
    // Rows are refreshed all the time; a few sweeps per lifetime keep the table near its true size.
    deadline = rows.isEmpty ? .distantFuture : now.advanced(by: lifetime / 4)
  }
}
