internal import Net
internal import OrderedCollections

extension Speaker {
  /// How many copies more an update that matters is worth while it is not acknowledged (§3.7.2 allows five in all).
  static let copies = 4

  /// Chooses the route for a prefix and says so to whom it concerns.
  ///
  /// `loss` is why a route has just left the table.
  mutating func reselect(
    _ slot: RouteTable.Slot, after loss: RouteSwitch.Reason = .retracted, at now: Instant
  ) {
    guard routeTable[slot].local == nil else { return }
    touch(slot)
    let former = routeTable[slot].selected
    let selection = RouteSelection(
      routeTable[slot].routes, current: former, halfLife: timing.smoothing, at: now
    ) { isFeasible($0, slot, at: now) }
    routeTable[slot].reconsideration =
      selection.isPending ? now.advanced(by: timing.smoothing / 8) : .distantFuture
    if selection.neighbour != former {
      let reason = reason(forLeaving: slot, after: loss, at: now)
      routeTable[slot].selected = selection.neighbour
      emitSwitch(slot, from: former, because: reason)
    }
    if selection.neighbour != former || selection.neighbour == nil { report(slot) }
    if selection.neighbour != nil {
      routeTable[slot].hold = nil
      announceChange(slot, at: now)
    } else {
      if former != nil { lose(slot, at: now) }
      requestIfStarved(slot, at: now)
    }
  }

  /// Why the route in use is left.
  private func reason(
    forLeaving slot: RouteTable.Slot, after loss: RouteSwitch.Reason, at now: Instant
  ) -> RouteSwitch.Reason {
    guard routeTable[slot].selected != nil else { return .found }
    guard let route = routeTable[slot].selectedRoute else { return loss }
    guard route.metric.isFinite else { return .linkDown }
    return isFeasible(route, slot, at: now) ? .better : .unfeasible
  }

  /// Tells that the route in use has changed to what the row says now.
  mutating func emitSwitch(
    _ slot: RouteTable.Slot, from former: NeighbourID?, because reason: RouteSwitch.Reason
  ) {
    let row = routeTable[slot]
    let formerRoute = former.flatMap { row.index(of: $0) }.map { row.routes[$0] }
    emit(
      .switched(
        RouteSwitch(
          key: row.key, former: former, formerMetric: formerRoute?.metric ?? .infinity,
          current: row.selected, metric: row.local ?? row.selectedRoute?.metric ?? .infinity, reason: reason))
    )
  }

  /// What this node says about a prefix; `nil` is a retraction.
  func announcement(_ slot: RouteTable.Slot) -> Destination.Announcement? {
    if let metric = routeTable[slot].local {
      let claim = routeTable[slot].claim
      return Destination.Announcement(
        routerID: claim?.routerID ?? routerID, seqno: claim?.seqno ?? seqno, metric: metric)
    }
    guard let route = routeTable[slot].selectedRoute, route.metric.isFinite else { return nil }
    return Destination.Announcement(routerID: route.routerID, seqno: route.seqno, metric: route.metric)
  }

  /// Sends a triggered update if the change is worth one (§3.7.2).
  ///
  /// A new route and a new originator are: others may be cut off, or forward by a distance that no longer means anything.
  /// So is a metric that a newer number brought.
  /// A metric must change by a quarter or by a link's cost. Smaller changes wait for the next full update, and between meshd
  /// nodes a second if they are for the worse: telling a small improvement lowers the feasibility distance and can cost us
  /// our alternatives. A newer number alone is told to those who asked for it.
  mutating func announceChange(_ slot: RouteTable.Slot, at now: Instant) {
    guard let announcement = announcement(slot) else { return }
    let key = routeTable[slot].key
    for id in routeTable[slot].requests.satisfy(announcement.routerID, announcement.seqno) {
      announce(key, to: id, within: timing.urgent, repeats: Self.copies, at: now)
    }
    let former = routeTable[slot].announced
    guard former != announcement else { return }
    guard let former, former.routerID == announcement.routerID else {
      routeTable[slot].announced = announcement
      announce(key, within: timing.urgent, repeats: Self.copies, at: now)
      return
    }
    let isWorse = announcement.metric > former.metric
    let isNotable = Self.isNotable(from: former.metric, to: announcement.metric)
    guard isNotable || isWorse else { return }
    if isNotable { routeTable[slot].announced = announcement }
    if isNotable, announcement.seqno.isNewer(than: former.seqno) {
      // The originator has spoken since: a claim has moved, or a way was asked for.
      announce(key, within: timing.urgent, repeats: 0, at: now)
    } else {
      announceCalmly(key, isNotable: isNotable, isDamped: !isWorse, at: now)
    }
  }

  /// Whether a metric changes by a quarter or by a link's cost.
  static func isNotable(from old: Metric, to new: Metric) -> Bool {
    let old = Int(old.rawValue)
    return abs(Int(new.rawValue) - old) >= min(Int(Metric.wired.rawValue), max(old / 4, 1))
  }

  /// The prefix has no usable route any more: retracts it and holds it until no neighbour can still send packets here
  /// (§3.5.4).
  mutating func lose(_ slot: RouteTable.Slot, at now: Instant) {
    epoch &+= 1
    if epoch == 0 { epoch = 1 }
    // One that we do not hear may still hear us, and follow what we said last.
    var waiting: [NeighbourID] = []
    var longest = Duration.zero
    for (id, neighbour) in neighbourTable where neighbour.isUp && neighbour.isHeard {
      waiting.append(id)
      longest = max(longest, promise(to: neighbour))
    }
    routeTable[slot].announced = nil
    if !waiting.isEmpty {
      routeTable[slot].hold = Destination.Hold(
        epoch: epoch, waiting: waiting, end: now.advanced(by: longest * 7 / 2))
    }
    announce(routeTable[slot].key, within: timing.urgent, repeats: Self.copies, at: now)
  }

  /// Notes that a neighbour cannot send packets for a held prefix any more; the last one ends the hold.
  mutating func acknowledgeHold(_ slot: RouteTable.Slot, by id: NeighbourID) {
    guard let index = routeTable[slot].hold?.waiting.firstIndex(of: id) else { return }
    routeTable[slot].hold?.waiting.remove(at: index)
    guard routeTable[slot].hold?.waiting.isEmpty == true else { return }
    endHold(slot)
    settle(slot)
  }

  /// Lets packets for a lost prefix go by a shorter one again.
  mutating func endHold(_ slot: RouteTable.Slot) {
    routeTable[slot].hold = nil
    // Unfeasible announcements keep it unreachable.
    if routeTable[slot].routes.isEmpty { emitSwitch(slot, from: nil, because: .released) }
    report(slot)
  }
}
