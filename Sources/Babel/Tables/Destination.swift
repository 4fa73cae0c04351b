internal import Net

/// Everything about one prefix: a row of the route table.
struct Destination: Sendable {
  /// A prefix that was lost and that nobody may reach by a shorter one (RFC 8966 §3.5.4).
  struct Hold: Sendable {
    /// Tells the acknowledgments of this retraction from those of an earlier one.
    var epoch: UInt32
    /// Neighbours that may still send packets here.
    var waiting: [NeighbourID]
    /// When all of them must have lost the route in any case.
    var end: Instant
  }

  /// A neighbour that announced the prefix until a moment ago.
  struct FormerAnnouncer: Sendable {
    var neighbour: NeighbourID
    var end: Instant
  }

  /// The right to announce the prefix for its owner, which does not speak itself.
  struct Claim: Sendable, Equatable {
    /// The router-id of all claims to the owner's prefixes.
    var routerID: RouterID
    /// The router-id that the owner would use itself.
    var speaker: RouterID
    /// The newer, the newer the claim.
    var seqno: Seqno
    /// When it was made.
    var since: Instant
    /// Whether it was made newer than one that came after it.
    var isDefended = false
  }

  /// What this node says about the prefix.
  struct Announcement: Sendable, Equatable {
    var routerID: RouterID
    var seqno: Seqno
    var metric: Metric
  }

  /// The destination.
  let key: RouteKey
  /// The metric with which we originate the prefix; `nil` if we do not.
  var local: Metric?
  /// Whose prefix it is, if we originate it for somebody else.
  var claim: Claim?
  /// What neighbours announce, one row per neighbour, feasible or not.
  var routes: [Route] = []
  /// The neighbour whose route is used.
  var selected: NeighbourID?
  /// The hold after a loss.
  var hold: Hold?
  /// Neighbours that count as announcers for a while longer.
  var formerAnnouncers: [FormerAnnouncer] = []
  /// Requests under way.
  var requests = PendingSeqnoRequests()
  /// What was announced last; `nil` for nothing or a retraction.
  var announced: Announcement?
  /// When the choice is to be made again because smoothed metrics move.
  var reconsideration = Instant.distantFuture
  /// The hint that is in the deadline queue.
  var scheduled = Instant.distantFuture
  /// Whether an unread output already says that the prefix changed.
  var isReported = false

  init(key: RouteKey) {
    self.key = key
  }

  /// The route of `neighbour`.
  func index(of neighbour: NeighbourID) -> Int? {
    routes.firstIndex { $0.neighbour == neighbour }
  }

  /// The route in use.
  var selectedRoute: Route? {
    guard let selected, let index = index(of: selected) else { return nil }
    return routes[index]
  }

  /// Whether nothing is left to remember.
  var isVacant: Bool {
    local == nil && routes.isEmpty && hold == nil && formerAnnouncers.isEmpty && requests.rows.isEmpty
  }

  /// When something is to be done.
  var deadline: Instant {
    var first = min(reconsideration, requests.deadline)
    if let hold { first = min(first, hold.end) }
    for route in routes {
      first = min(first, route.expiry)
      if route.neighbour == selected { first = min(first, route.refresh) }
    }
    for former in formerAnnouncers { first = min(first, former.end) }
    return first
  }

  /// The prefix as forwarding sees it.
  var view: RouteView {
    var announcers = routes.map(\.neighbour)
    for former in formerAnnouncers where !announcers.contains(former.neighbour) {
      announcers.append(former.neighbour)
    }
    announcers.sort()
    let state: RouteView.State
    if local != nil {
      state = .local
    } else if let route = selectedRoute {
      state = .via(route.neighbour, metric: route.metric, routerID: route.routerID, seqno: route.seqno)
    } else {
      // Former announcers may still send packets from the prefix; they are no reason to refuse packets to it.
      state = hold == nil && routes.isEmpty ? .none : .unreachable
    }
    return RouteView(state: state, announcers: announcers)
  }
}
