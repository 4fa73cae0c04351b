internal import Net
internal import OrderedCollections

/// One neighbour and the link to it: interface and neighbour table in one (RFC 8966 §3.2.3, §3.2.4).
struct Neighbour: Sendable {
  /// A packet that was sent and must be acknowledged.
  struct Unacknowledged: Sendable {
    /// The number that the acknowledgment will have.
    var opaque: UInt16
    /// The updates in it.
    var items: [Item]
    /// When they are sent again.
    var deadline: Instant

    /// One update in the packet.
    struct Item: Sendable {
      var key: RouteKey
      /// The hold that the acknowledgment counts for; 0 for a finite update.
      var epoch: UInt32
      /// How many more copies may be sent.
      var repeats: Int
    }
  }

  /// What the configuration says.
  var settings: NeighbourSettings
  /// Whether packets can be exchanged at all.
  var isUp = false
  /// Whether it was ever up: the wildcard retraction is for the first time only.
  var wasUp = false
  /// Whether it is known to be a meshd.
  var isMeshd: Bool

  // What was heard.

  /// Its addresses, the one heard last at the end.
  var linkLocals: [IPv6Address] = []
  /// Whether anything was heard since the link is up.
  var isHeard = false
  /// Hellos with U = 0.
  var multicastHellos = HelloHistory()
  /// Hellos with U = 1.
  var unicastHellos = HelloHistory()
  /// When the last Hello came.
  var lastHello: Instant?
  /// Whether it announced an IPv4 prefix by an IPv6 next hop, and so understands that (RFC 9229).
  var speaksIPv4ViaIPv6 = false
  /// The cost it tells us; infinity without a valid IHU.
  var txcost = Metric.infinity
  /// When the last IHU loses its force.
  var ihuExpiry = Instant.distantFuture
  /// How far away it is.
  var roundTrip = RoundTrip()
  /// Whether it answers.
  var liveness = Liveness()
  /// What former failures add to the cost.
  var damping = Damping()
  /// When anything authentic came from it, be it routing or not.
  var lastHeard = Instant.zero
  /// When a packet of a host was last sent to it or came from it.
  var lastTraffic = Instant.zero
  /// When the link was opened, became usable or unusable.
  var turnedAt = Instant.zero
  /// What guards the link against replays.
  var authentication: Authentication
  /// The cost in the last IHU we sent; `nil` before the first.
  var toldRxcost: Metric?
  /// The cost in use, kept to notice changes.
  var cost = Metric.infinity
  /// How many routes it announces.
  var routeCount = 0
  /// For how many prefixes it still counts as an announcer after retracting them.
  var graceCount = 0
  /// Updates that were not used.
  var refusals = UpdateRefusals()
  /// Whether it was noted, since the link is up, that it announces more than it may.
  var isOverLimit = false

  // What is to be sent.

  /// The number of the next Hello.
  var helloSeqno: Seqno
  /// When the next Hello leaves.
  var helloDeadline = Instant.distantFuture
  /// Hellos left in the opening burst.
  var burst = 0
  /// How often in a row a meshd has answered our Hellos by saying that it can do without us.
  var dismissals = 0
  /// Hellos since the last IHU.
  var hellosSinceIHU = 0
  /// Whether an IHU shall leave with the next packet.
  var owesIHU = false
  /// Whether the next packet shall retract everything a former life of ours announced.
  var owesRetraction = false
  /// Whether the next packet shall ask for all routes.
  var owesRouteRequest = false
  /// When the next full update begins.
  var dumpDeadline = Instant.distantFuture
  /// When the last one began.
  var lastDump: Instant?
  /// The slot at which the full update under way goes on.
  var dumpCursor: Int?
  /// Updates to be sent, with the values of the moment when they are.
  var pendingUpdates = UpdateQueue()
  /// Prefixes of which only the metric has changed, which has time.
  var calmUpdates: Set<RouteKey> = []
  /// When they are to be sent.
  var calmDeadline = Instant.distantFuture
  /// When some were sent last.
  var lastCalm: Instant?
  /// Requests to be sent, none twice.
  var requests: OrderedSet<TLV> = []
  /// How fast packets may leave for which somebody waits.
  var urgentPace = Pace.urgent
  /// How fast those of full updates may leave.
  var calmPace = Pace.calm
  /// When a packet leaves.
  var transmission = Instant.distantFuture
  /// Updates on their way.
  var unacknowledged: [Unacknowledged] = []
  /// The number of the next acknowledgment request.
  var opaque: UInt16 = 0
  /// The hint that is in the deadline queue.
  var scheduled = Instant.distantFuture

  init(_ settings: NeighbourSettings, helloSeqno: Seqno, authentication: Authentication) {
    self.settings = settings
    self.authentication = authentication
    self.helloSeqno = helloSeqno
    isMeshd = settings.isMeshd
  }

  /// The cost we tell the neighbour: finite if we hear it (appendix A.2.1).
  var rxcost: Metric {
    let isHeard = multicastHellos.isUsable || unicastHellos.isUsable
    return isUp && isHeard && liveness.state != .lost ? settings.receiveCost : .infinity
  }

  /// The cost of the link: what the neighbour says and what delay and former failures add, as long as we hear it.
  var currentCost: Metric {
    guard rxcost.isFinite, txcost.isFinite else { return .infinity }
    return max(txcost, Metric(1)) + delayCost + damping.penalty
  }

  /// What the delay adds to the cost (RFC 9616 §3.2).
  var delayCost: Metric {
    guard let settled = roundTrip.settled else { return .zero }
    return (settings.delayPenalty ?? (isMeshd ? .mesh : .stock)).cost(of: settled)
  }

  /// Whether Hellos to it carry timestamps: it is a meshd, or sends some itself.
  var takesTimestamps: Bool { isMeshd || roundTrip.echo != nil }

  /// The next hop that it is told for prefixes of a family.
  ///
  /// IPv4 routes have an IPv4 next hop as long as we have an address, since everyone understands that (RFC 9229 §2.1).
  /// Without, it is our link-local address for those who understand that, else the dummy address of RFC 7600: valid
  /// everywhere and owned by nobody.
  func nextHop(_ family: AddressFamily) -> IPAddress {
    guard family == .v4 else { return .v6(settings.ourLinkLocal) }
    if let address = settings.ipv4NextHop { return .v4(address) }
    return isMeshd || speaksIPv4ViaIPv6 ? .v6(settings.ourLinkLocal) : .v4(IPv4Address(192, 0, 0, 8))
  }

  /// Whether it may announce one more prefix; `limit` is that of a neighbour without one of its own.
  func hasRoom(under limit: Int) -> Bool { routeCount + graceCount < settings.prefixLimit ?? limit }

  /// When something is to be done.
  var deadline: Instant {
    var first = min(helloDeadline, transmission, dumpDeadline, ihuExpiry)
    first = min(first, calmDeadline)
    first = min(first, multicastHellos.deadline, unicastHellos.deadline)
    first = min(first, multicastHellos.lateness, liveness.deadline, damping.end)
    for packet in unacknowledged { first = min(first, packet.deadline) }
    return first
  }

  /// Whether a packet is to leave.
  func isTransmissionDue(at now: Instant) -> Bool {
    min(helloDeadline, transmission, calmDeadline) <= now
  }

  /// Whether a full update is to begin.
  func isDumpDue(at now: Instant) -> Bool { dumpDeadline <= now }

  /// Whether a packet from `source` is the neighbour's; notes the address.
  mutating func admit(_ source: IPv6Address, capacity: Int) -> Bool {
    guard source.high == 0xFE80 << 48, source != settings.ourLinkLocal else { return false }
    if source == settings.expected {
      isMeshd = true
      linkLocals = [source]
      return true
    }
    guard !isMeshd || settings.expected == nil else { return false }
    if linkLocals.last == source { return true }
    linkLocals.removeAll { $0 == source }
    if linkLocals.count >= capacity { linkLocals.removeFirst() }
    linkLocals.append(source)
    return true
  }

  /// Forgets what the neighbour said and what it was told, when the link opens or closes.
  mutating func reset() {
    isHeard = false
    isOverLimit = false
    authentication.forgetNeighbour()
    multicastHellos = HelloHistory()
    unicastHellos = HelloHistory()
    txcost = .infinity
    ihuExpiry = .distantFuture
    roundTrip = RoundTrip()
    liveness.restart()
    speaksIPv4ViaIPv6 = false
    helloDeadline = .distantFuture
    burst = 0
    dismissals = 0
    owesIHU = false
    owesRetraction = false
    owesRouteRequest = false
    toldRxcost = nil
    dumpDeadline = .distantFuture
    dumpCursor = nil
    pendingUpdates = UpdateQueue()
    calmUpdates = []
    calmDeadline = .distantFuture
    requests = []
    transmission = .distantFuture
    unacknowledged = []
  }
}
