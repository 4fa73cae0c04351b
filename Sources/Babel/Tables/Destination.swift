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

  /// What most destinations have none of, so that it has no room in the row.
  private struct Exceptions: Sendable {
    var source: IPPrefix?
    var claim: Claim?
    var hold: Hold?
    var formerAnnouncers: [FormerAnnouncer] = []
    var requests = PendingSeqnoRequests()
    var reconsideration = Instant.distantFuture

    var isEmpty: Bool {
      source == nil && claim == nil && hold == nil && formerAnnouncers.isEmpty && requests.rows.isEmpty
        && reconsideration == .distantFuture
    }
  }

  // The order is that of least padding.
  private let prefix: IPPrefix
  /// Whether an unread output already says that the prefix changed.
  var isReported = false
  /// Whether the slot holds no row.
  private(set) var isRemoved = false
  /// The neighbour in use; the largest number is nobody's.
  private var selectedNumber = UInt32.max
  /// The originator announced last; 0 if nothing is announced.
  private var announcedRouterID: UInt64 = 0
  private var announcedSeqno = Seqno(0)
  private var announcedMetric = Metric.infinity
  /// The metric with which we originate the prefix; `nil` if we do not.
  var local: Metric?
  /// The hint that is in the deadline queue.
  var scheduled = Instant.distantFuture
  /// None, or one.
  private var exceptions: [Exceptions] = []
  /// What neighbours announce, one row per neighbour, feasible or not.
  var routes = RouteList()

  /// The content of a slot without a row.
  static let removed = {
    var row = Destination(key: RouteKey(.defaultIPv6))
    row.isRemoved = true
    return row
  }()

  init(key: RouteKey) {
    prefix = key.prefix
    if let source = key.source { change { $0.source = source } }
  }

  private mutating func change(_ body: (inout Exceptions) -> Void) {
    if exceptions.isEmpty {
      exceptions.reserveCapacity(1)
      exceptions.append(Exceptions())
    }
    body(&exceptions[0])
    if exceptions[0].isEmpty { exceptions = [] }
  }

  /// The destination.
  var key: RouteKey {
    exceptions.isEmpty ? RouteKey(prefix) : RouteKey(prefix, source: exceptions[0].source)
  }

  /// Whether `key` is the destination of this row.
  func names(_ key: RouteKey) -> Bool {
    prefix == key.prefix && !isRemoved && (exceptions.isEmpty ? nil : exceptions[0].source) == key.source
  }

  /// Whose prefix it is, if we originate it for somebody else.
  var claim: Claim? {
    get { exceptions.isEmpty ? nil : exceptions[0].claim }
    set { if newValue != nil || !exceptions.isEmpty { change { $0.claim = newValue } } }
  }

  /// The hold after a loss.
  var hold: Hold? {
    get { exceptions.isEmpty ? nil : exceptions[0].hold }
    set { if newValue != nil || !exceptions.isEmpty { change { $0.hold = newValue } } }
  }

  /// Neighbours that count as announcers for a while longer.
  var formerAnnouncers: [FormerAnnouncer] {
    get { exceptions.isEmpty ? [] : exceptions[0].formerAnnouncers }
    set { if !newValue.isEmpty || !exceptions.isEmpty { change { $0.formerAnnouncers = newValue } } }
  }

  /// Requests under way.
  var requests: PendingSeqnoRequests {
    get { exceptions.isEmpty ? PendingSeqnoRequests() : exceptions[0].requests }
    set { if !newValue.rows.isEmpty || !exceptions.isEmpty { change { $0.requests = newValue } } }
  }

  /// When the choice is to be made again because smoothed metrics move.
  var reconsideration: Instant {
    get { exceptions.isEmpty ? .distantFuture : exceptions[0].reconsideration }
    set {
      if newValue != .distantFuture || !exceptions.isEmpty { change { $0.reconsideration = newValue } }
    }
  }

  /// The neighbour whose route is used.
  var selected: NeighbourID? {
    get { selectedNumber == .max ? nil : NeighbourID(selectedNumber) }
    set { selectedNumber = newValue?.rawValue ?? .max }
  }

  /// What was announced last; `nil` for nothing or a retraction.
  var announced: Announcement? {
    get {
      RouterID(announcedRouterID).map {
        Announcement(routerID: $0, seqno: announcedSeqno, metric: announcedMetric)
      }
    }
    set {
      announcedRouterID = newValue?.routerID.rawValue ?? 0
      announcedSeqno = newValue?.seqno ?? Seqno(0)
      announcedMetric = newValue?.metric ?? .infinity
    }
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
    guard routes.isEmpty, local == nil else { return false }
    return exceptions.isEmpty
      || (hold == nil && formerAnnouncers.isEmpty && requests.rows.isEmpty)
  }

  /// When something is to be done.
  var deadline: Instant {
    var first = Instant.distantFuture
    for route in routes {
      first = min(first, route.expiry)
      if route.neighbour == selected { first = min(first, route.refresh) }
    }
    guard !exceptions.isEmpty else { return first }
    first = min(first, reconsideration, requests.deadline)
    if let hold { first = min(first, hold.end) }
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
