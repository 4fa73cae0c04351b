public import Net
internal import OrderedCollections

extension Speaker {
  /// Announces a prefix of our own, for packets from `source` only if there is one, which must be of the same family.
  public mutating func originate(
    _ prefix: IPPrefix, source: IPPrefix? = nil, metric: Metric = .zero, at now: Instant
  ) {
    let slot = row(of: RouteKey(prefix, source: source))
    guard routeTable[slot].local != metric || routeTable[slot].claim != nil else { return }
    for route in routeTable[slot].routes { removeRoute(slot, route.neighbour, at: now) }
    removeFormerAnnouncers(slot) { _ in true }
    routeTable[slot].claim = nil
    beginOrigin(slot, metric: metric, at: now)
    settle(slot)
  }

  mutating func beginOrigin(_ slot: RouteTable.Slot, metric: Metric, at now: Instant) {
    let former = routeTable[slot].selected
    let isNew = routeTable[slot].local == nil
    routeTable[slot].local = metric
    routeTable[slot].selected = nil
    if isNew { emitSwitch(slot, from: former, because: .originated) }
    routeTable[slot].reconsideration = .distantFuture
    routeTable[slot].hold = nil
    announceChange(slot, at: now)
    report(slot)
  }

  /// Takes back a prefix of our own; it is held like any lost route.
  public mutating func withdraw(_ prefix: IPPrefix, source: IPPrefix? = nil, at now: Instant) {
    let key = RouteKey(prefix, source: source)
    guard let slot = routeTable.slot(key), routeTable[slot].local != nil else { return }
    endOrigin(slot, at: now)
    settle(slot)
    // Other announcements of the prefix were not stored while it was ours.
    askEverybody(for: key, at: now)
  }

  mutating func endOrigin(_ slot: RouteTable.Slot, at now: Instant) {
    routeTable[slot].local = nil
    routeTable[slot].claim = nil
    routeTable[slot].requests.removeClaims()
    reselect(slot, at: now)
    if routeTable[slot].selected == nil {
      emitSwitch(slot, from: nil, because: .withdrawn)
      lose(slot, at: now)
    }
    report(slot)
  }

  /// Takes an update (§3.5.3).
  mutating func receive(_ update: Update, from id: NeighbourID, at now: Instant) {
    if update.isIPv4ViaIPv6 { neighbourTable[id]?.speaksIPv4ViaIPv6 = true }
    let key = RouteKey(update.prefix, source: update.source)
    let known = routeTable.slot(key)
    noteHeard(update, from: id, known)
    if let known, isOurs(known) {
      if update.routerID == routerID { recover(update.seqno, at: now) }
      return
    }
    if let reason = refusal(of: update, key, from: id, at: now) {
      count(reason, from: id)
    } else if var route = Route(update, from: id) {
      if let penalty = penalty(of: route, key) {
        route.penalty = penalty
        let slot = row(of: key, expected: known)
        store(route, in: slot, interval: update.interval, at: now)
        compareClaim(slot, with: route, at: now)
        settle(slot)
        return
      }
      count(.filtered, from: id)
    }
    // Whatever it is, it replaces what the neighbour said before.
    guard let slot = routeTable.slot(key) else { return }
    retract(slot, id, because: update.metric.isFinite ? .filtered : .retracted, at: now)
  }

  /// Why an update is not to be used; never a reason to refuse a retraction.
  private mutating func refusal(
    of update: Update, _ key: RouteKey, from id: NeighbourID, at now: Instant
  ) -> UpdateRefusals.Reason? {
    guard let origin = update.routerID, update.metric.isFinite else { return nil }
    guard origin != routerID, accepts(key, from: id) else { return .filtered }
    // Nobody takes away a part of what is ours; but there may be an exit for some sources beside the one we are.
    if key.source != nil, !key.prefix.isDefault, let whole = routeTable.slot(RouteKey(key.prefix)),
      isOurs(whole)
    {
      return .foreignOrigin
    }
    return isOriginAdmitted(origin, key, from: id, at: now) ? nil : .foreignOrigin
  }

  /// Whether we originate the prefix for ourselves.
  private func isOurs(_ slot: RouteTable.Slot) -> Bool {
    routeTable[slot].local != nil && routeTable[slot].claim == nil
  }

  /// The row of a key, made if there is none; found at once if it is still `expected`.
  mutating func row(of key: RouteKey, expected: RouteTable.Slot? = nil) -> RouteTable.Slot {
    if let slot = expected ?? routeTable.slot(key) { return slot }
    let slot = routeTable.slotOrInsert(key)
    enterLedgers(slot)
    return slot
  }

  private mutating func store(
    _ route: Route, in slot: RouteTable.Slot, interval: Interval, at now: Instant
  ) {
    let id = route.neighbour
    guard let index = routeTable[slot].index(of: id) else {
      removeFormerAnnouncers(slot) { $0.neighbour == id }
      // What a neighbour just retracted counts as well, or it could fill the table with prefixes it no longer has.
      guard neighbourTable[id]?.hasRoom(under: limits.routesPerNeighbour) == true else {
        count(.overLimit, from: id)
        return
      }
      neighbourTable[id]?.routeCount += 1
      routeTable[slot].routes.append(route)
      refresh(slot, routeTable[slot].routes.count - 1, interval, at: now)
      reselect(slot, at: now)
      report(slot)
      requestIfBetter(slot, route, at: now)
      return
    }
    let former = routeTable[slot].routes[index]
    guard former.isStale || !former.announcesSame(as: route) else {
      routeTable[slot].routes[index].renew(interval, at: now)
      if routeTable[slot].selected == nil { requestIfStarved(slot, at: now) }
      return
    }
    let isUsed = routeTable[slot].selected == id
    if isUsed, former.routerID == route.routerID, !isFeasible(route, slot, at: now) {
      // The route goes on with its old values until a newer number makes this one usable: the neighbour's own distance
      // still is what it was, so no loop can come of it (§3.5.3). Not for long, since nothing renews them: a promise may be
      // long, and the originator out of reach.
      routeTable[slot].routes[index].expire(by: now.advanced(by: timing.update))
      request(slot, route, at: now)
      return
    }
    routeTable[slot].routes[index].replace(with: route)
    refresh(slot, index, interval, at: now)
    reselect(slot, at: now)
    if isUsed { requestBetter(slot, at: now) } else { requestIfBetter(slot, route, at: now) }
  }

  private mutating func refresh(
    _ slot: RouteTable.Slot, _ index: Int, _ interval: Interval, at now: Instant
  ) {
    let cost = cost(routeTable[slot].routes[index].neighbour)
    routeTable[slot].routes[index].renew(interval, at: now)
    routeTable[slot].routes[index].setCost(cost, halfLife: timing.smoothing, at: now)
  }

  /// Whether a route may be used (§3.5.1).
  func isFeasible(_ route: Route, _ slot: RouteTable.Slot, at now: Instant) -> Bool {
    sourceTable.isFeasible(
      routeTable[slot].key, route.routerID, seqno: route.seqno, metric: route.referenceMetric, at: now)
  }

  /// Removes a neighbour's route, which it retracted or may not have.
  ///
  /// The neighbour counts as an announcer for a while: packets it sent before are still on their way.
  mutating func retract(
    _ slot: RouteTable.Slot, _ id: NeighbourID, because reason: RouteSwitch.Reason = .retracted,
    at now: Instant
  ) {
    guard routeTable[slot].index(of: id) != nil else { return }
    removeRoute(slot, id, at: now)
    reselect(slot, after: reason, at: now)
    settle(slot)
  }

  private mutating func removeRoute(_ slot: RouteTable.Slot, _ id: NeighbourID, at now: Instant) {
    guard let index = routeTable[slot].index(of: id) else { return }
    routeTable[slot].routes.remove(at: index)
    routeTable[slot].formerAnnouncers.append(
      Destination.FormerAnnouncer(neighbour: id, end: now.advanced(by: timing.announcerGrace)))
    neighbourTable[id]?.routeCount -= 1
    neighbourTable[id]?.graceCount += 1
  }

  /// Ends the grace of announcers; `true` if there were any.
  @discardableResult
  mutating func removeFormerAnnouncers(
    _ slot: RouteTable.Slot, where isOver: (Destination.FormerAnnouncer) -> Bool
  ) -> Bool {
    let over = routeTable[slot].formerAnnouncers.filter(isOver)
    guard !over.isEmpty else { return false }
    routeTable[slot].formerAnnouncers.removeAll(where: isOver)
    for former in over { neighbourTable[former.neighbour]?.graceCount -= 1 }
    return true
  }

  /// Our own announcement came back with a number we have not reached: it is from before a crash.
  ///
  /// Going past it lets the network use us at once, instead of when it forgets. But it may be a liar's, and our number
  /// must not go round before all have forgotten the old ones; so what is too far has to be asked for again.
  private mutating func recover(_ stale: Seqno, at now: Instant) {
    guard stale.isNewer(than: seqno), now >= nextLeap else { return }
    raiseSeqno(towards: stale.successor, at: now)
    for slot in 0..<routeTable.endSlot
    where routeTable.contains(slot) && routeTable[slot].local != nil
      && routeTable[slot].claim == nil
    {
      announce(routeTable[slot].key, within: timing.urgent, repeats: Self.copies, at: now)
    }
  }

  /// Does what is due for a prefix.
  mutating func run(_ slot: RouteTable.Slot, at now: Instant) {
    let expired = routeTable[slot].routes.filter { $0.expiry <= now }.map(\.neighbour)
    for id in expired {
      removeRoute(slot, id, at: now)
      linkSyncs[id]?.heard.note(.none, routeTable[slot].key, slot)
    }
    if !expired.isEmpty || routeTable[slot].reconsideration <= now {
      reselect(slot, after: .expired, at: now)
    }
    if let id = routeTable[slot].selected, let index = routeTable[slot].index(of: id),
      routeTable[slot].routes[index].refresh <= now
    {
      routeTable[slot].routes[index].refreshWasRequested()
      let key = routeTable[slot].key
      request(.routeRequest(RouteRequest(prefix: key.prefix, source: key.source)), of: id, at: now)
    }
    if let hold = routeTable[slot].hold, hold.end <= now { endHold(slot) }
    if removeFormerAnnouncers(slot, where: { $0.end <= now }) { report(slot) }
    repeatRequests(slot, at: now)
  }
}
