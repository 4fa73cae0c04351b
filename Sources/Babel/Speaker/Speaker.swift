public import Net
internal import OrderedCollections

/// A node of the routing protocol (RFC 8966): what it hears goes in, what it says and the routes it chooses come out.
///
/// Every neighbour is one WireGuard peer and a Babel interface of its own. The speaker does no I/O and reads no clock:
/// call a method with the time, then `poll` until it is empty, then again at `nextDeadline` at the latest. The same
/// inputs with the same seed give the same outputs.
public struct Speaker: Sendable {
  /// What the caller must do.
  public enum Output: Sendable, Equatable {
    /// Send a packet to a neighbour, from our link-local address and port 6696 to the same port.
    ///
    /// A neighbour removed in the same turn still gets its farewell.
    case send(to: NeighbourID, OutgoingPacket)
    /// Look up the route again: its state or its announcers changed.
    case routeChanged(RouteKey)
    /// Another route is in use for a destination, or none.
    case switched(RouteSwitch)
    /// The neighbour's link became usable or unusable, its cost changed, or its address.
    case neighbourChanged(NeighbourID)
    /// The neighbour has to show that it is there: if there is another way to it, now is the time to try that.
    case neighbourDoubted(NeighbourID)
    /// Our sequence number changed and is to be persisted.
    case seqnoChanged(Seqno)
    /// Another node's claim to the prefix is newer than ours, or its owner speaks itself.
    case claimLost(IPPrefix)
    /// The neighbour announces more prefixes than it may; said once for each time its link opens.
    case prefixLimitReached(NeighbourID)
  }

  /// What was dropped since the start.
  public struct Counters: Sendable, Equatable {
    /// Packets that were no Babel, or from an address that is not the neighbour's.
    public internal(set) var foreignPackets: UInt64 = 0
    /// Packets without a valid MAC or with a counter that is not fresh, where a key is configured.
    public internal(set) var unauthenticPackets: UInt64 = 0
    /// TLVs in which something was wrong.
    public internal(set) var malformedTLVs: UInt64 = 0
    /// Updates that were not used.
    public internal(set) var refusals = UpdateRefusals()
    /// Announcements that were not made, since the table of sources had no room.
    public internal(set) var overflows: UInt64 = 0
    /// How often a meshd neighbour's digest was not that of what we had heard, and we asked for everything.
    public internal(set) var resynchronisations: UInt64 = 0
  }

  enum Subject: Sendable {
    case neighbour(NeighbourID)
    /// A `RouteTable.Slot`.
    case destination(UInt32)
    case sources
    case farewell
  }

  /// Our router-id.
  public let routerID: RouterID
  /// Our sequence number.
  public internal(set) var seqno: Seqno
  /// What was dropped since the start.
  public internal(set) var counters = Counters()

  let timing: Timing
  let limits: Limits
  var random: SplitMix64
  let clock: FreeRunningClock
  var neighbourTable = NeighbourMap<Neighbour>()
  /// A row for each neighbour that was heard and is a meshd.
  var linkSyncs = NeighbourMap<LinkSync>()
  var routeTable = RouteTable()
  var sourceTable: SourceTable
  /// Prefixes with owners; only looked up, never iterated.
  var bindings: [IPPrefix: OriginBinding] = [:]
  var agenda = DeadlineQueue<Subject>()
  /// Who is to be asked something since the last poll, and when that was found out.
  var asked: OrderedSet<NeighbourID> = []
  var askedAt = Instant.zero
  var sourcesScheduled = Instant.distantFuture
  var epoch: UInt32 = 0
  var isShutDown = false
  /// When a request may raise our number by more than one again.
  var nextLeap = Instant.zero
  /// What was touched; `nil` while nobody observes.
  var observation: Observation?
  private var outputs: [Output] = []
  private var firstOutput = 0

  /// Makes a speaker without neighbours; `seqno` is the one persisted last, `seed` decides all jitter.
  public init(
    routerID: RouterID, seqno: Seqno, seed: UInt64, timing: Timing = Timing(), limits: Limits = Limits()
  ) {
    self.routerID = routerID
    self.seqno = seqno
    self.timing = timing
    self.limits = limits
    random = SplitMix64(seed: seed)
    clock = FreeRunningClock(origin: UInt32(truncatingIfNeeded: random.next()))
    sourceTable = SourceTable(lifetime: timing.sourceLifetime, capacity: limits.sources)
  }

  /// When `advance` must be called at the latest.
  public var nextDeadline: Instant { agenda.first }

  /// The next thing to do; `nil` when there is nothing left until the next input or deadline.
  public mutating func poll() -> Output? {
    if firstOutput == outputs.count { sendRequests() }
    guard firstOutput < outputs.count else {
      outputs.removeAll(keepingCapacity: true)
      firstOutput = 0
      return nil
    }
    let output = outputs[firstOutput]
    firstOutput += 1
    if case .routeChanged(let key) = output, let slot = routeTable.slot(key) {
      routeTable[slot].isReported = false
    }
    return output
  }

  /// Does what is due by `now`.
  public mutating func advance(to now: Instant) {
    while let (subject, time) = agenda.removeFirst(dueAt: now) {
      switch subject {
      case .neighbour(let id):
        guard neighbourTable[id]?.scheduled == time, !isShutDown else { continue }
        neighbourTable[id]?.scheduled = .distantFuture
        run(id, at: now)
        schedule(id)
      case .destination(let number):
        let slot = RouteTable.Slot(number)
        guard routeTable.contains(slot), routeTable[slot].scheduled == time, !isShutDown else { continue }
        routeTable[slot].scheduled = .distantFuture
        run(slot, at: now)
        settle(slot)
      case .sources:
        sourcesScheduled = .distantFuture
        sourceTable.sweep(at: now)
        scheduleSources()
      case .farewell:
        sendFarewells()
      }
    }
  }

  /// Announces that this node is going: all routes are retracted and the neighbours forget us at once.
  ///
  /// Sent twice, the second time 20 ms later; after that the speaker is silent for good.
  public mutating func shutdown(at now: Instant) {
    guard !isShutDown else { return }
    sendFarewells()
    isShutDown = true
    agenda = DeadlineQueue()
    agenda.insert(.farewell, at: now.advanced(by: timing.burst))
  }

  private mutating func sendFarewells() {
    for id in neighbourTable.keys { sendFarewell(to: id) }
  }

  mutating func emit(_ output: Output) {
    outputs.append(output)
  }

  /// Tells the caller that what `route(for:source:)` says may have changed.
  mutating func report(_ slot: RouteTable.Slot) {
    touch(slot)
    guard !routeTable[slot].isReported else { return }
    routeTable[slot].isReported = true
    emit(.routeChanged(routeTable[slot].key))
  }

  /// Puts a neighbour's deadline into the queue if it came nearer.
  mutating func schedule(_ id: NeighbourID) {
    guard let deadline = neighbourTable[id]?.deadline, let hint = neighbourTable[id]?.scheduled,
      deadline < hint
    else { return }
    neighbourTable[id]?.scheduled = deadline
    agenda.insert(.neighbour(id), at: deadline)
  }

  /// Removes a row with nothing in it; else puts its deadline into the queue if it came nearer.
  mutating func settle(_ slot: RouteTable.Slot) {
    guard !routeTable[slot].isVacant else {
      leaveLedgers(slot)
      routeTable.remove(slot)
      return
    }
    let deadline = routeTable[slot].deadline
    guard deadline < routeTable[slot].scheduled else { return }
    routeTable[slot].scheduled = deadline
    agenda.insert(.destination(UInt32(slot)), at: deadline)
  }

  /// Puts the source table's next sweep into the queue.
  mutating func scheduleSources() {
    guard sourceTable.deadline < sourcesScheduled else { return }
    sourcesScheduled = sourceTable.deadline
    agenda.insert(.sources, at: sourcesScheduled)
  }

  /// A time of at most `duration`, and at least the `share` of it: jitter may only make things early.
  mutating func jittered(_ duration: Duration, share: Double = 0.8) -> Duration {
    let unit = Double(random.next() >> 11) / Double(1 << 53)
    return .nanoseconds(Int64(Double(duration.nanoseconds) * (share + (1 - share) * unit)))
  }
}
