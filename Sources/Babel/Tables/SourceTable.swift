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
  /// A distance for packets from anywhere: 40 octets.
  private struct Row: Sendable {
    let prefix: IPPrefix
    var distance: FeasibilityDistance
    let routerID: RouterID
    var expiry: Instant

    var name: Int { SourceTable.name(prefix, routerID) }
  }

  /// A distance for packets from some sources.
  private struct Specific: Hashable, Sendable {
    var key: RouteKey
    var routerID: RouterID
  }

  private var rows: [Row] = []
  private var index = SlotIndex()
  // Only looked up and swept: its order reaches nothing.
  private var specific: [Specific: Row] = [:]
  private let lifetime: Duration
  private let capacity: Int
  /// When to look for rows that have expired.
  private(set) var deadline = Instant.distantFuture

  init(lifetime: Duration, capacity: Int) {
    self.lifetime = lifetime
    self.capacity = capacity
  }

  /// The number of rows, expired ones included until the next sweep.
  var count: Int { rows.count + specific.count }

  /// The hash under which a row is found.
  private static func name(_ prefix: IPPrefix, _ routerID: RouterID) -> Int {
    var hasher = Hasher()
    hasher.combine(prefix)
    hasher.combine(routerID)
    return hasher.finalize()
  }

  private func slot(_ prefix: IPPrefix, _ routerID: RouterID) -> Int? {
    index.slot(Self.name(prefix, routerID)) {
      rows[$0].prefix == prefix && rows[$0].routerID == routerID
    }
  }

  /// The distance of `routerID`'s routes to `key`; `nil` if this node announced none in living memory.
  func distance(_ key: RouteKey, _ routerID: RouterID, at now: Instant) -> FeasibilityDistance? {
    let row =
      key.source == nil
      ? slot(key.prefix, routerID).map { rows[$0] } : specific[Specific(key: key, routerID: routerID)]
    guard let row, row.expiry > now else { return nil }
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
    let new = Row(
      prefix: key.prefix, distance: FeasibilityDistance(seqno: seqno, metric: metric), routerID: routerID,
      expiry: now.advanced(by: lifetime))
    if key.source == nil {
      if let slot = slot(key.prefix, routerID) {
        rows[slot] = Self.later(rows[slot], new, at: now)
        return true
      }
      guard count < capacity else { return false }
      rows.appendTightly(new)
      index.insert(rows.count - 1, new.name) { rows[$0].name }
    } else {
      let source = Specific(key: key, routerID: routerID)
      if let old = specific[source] {
        specific[source] = Self.later(old, new, at: now)
        return true
      }
      guard count < capacity else { return false }
      specific[source] = new
    }
    deadline = min(deadline, new.expiry)
    return true
  }

  /// What is to be remembered of a distance and a newer one.
  private static func later(_ old: Row, _ new: Row, at now: Instant) -> Row {
    guard old.expiry > now, !old.distance.admits(seqno: new.distance.seqno, metric: new.distance.metric)
    else {
      return new
    }
    var row = old
    row.expiry = new.expiry
    return row
  }

  /// Forgets what has expired.
  mutating func sweep(at now: Instant) {
    specific = specific.filter { $0.value.expiry > now }
    if rows.contains(where: { $0.expiry <= now }) {
      rows.removeAll { $0.expiry <= now }
      index = SlotIndex()
      for slot in rows.indices { index.insert(slot, rows[slot].name) { rows[$0].name } }
    }
    // Rows are refreshed all the time; a few sweeps per lifetime keep the table near its true size.
    deadline = count == 0 ? .distantFuture : now.advanced(by: lifetime / 4)
  }
}
