public import Net
internal import OrderedCollections

extension Speaker {
  /// Adds a neighbour whose link is down; an existing one gets the settings.
  public mutating func addNeighbour(_ id: NeighbourID, _ settings: NeighbourSettings, at now: Instant) {
    guard neighbourTable[id] == nil else {
      updateNeighbour(id, settings, at: now)
      return
    }
    let first = Seqno(UInt16(truncatingIfNeeded: random.next()))
    let authentication = Authentication(using: &random)
    neighbourTable[id] = Neighbour(settings, helloSeqno: first, authentication: authentication)
    touch(id)
  }

  /// Changes a neighbour's settings; routes it may no longer announce are dropped.
  public mutating func updateNeighbour(_ id: NeighbourID, _ settings: NeighbourSettings, at now: Instant) {
    guard let old = neighbourTable[id]?.settings, old != settings else { return }
    neighbourTable[id]?.settings = settings
    if old.expected != settings.expected || old.isMeshd != settings.isMeshd {
      let address = neighbourTable[id]?.linkLocals.last
      neighbourTable[id]?.isMeshd =
        settings.isMeshd || (address != nil && address == settings.expected)
    }
    if old.outbound != settings.outbound { announceRefiltered(to: id, old.outbound, at: now) }
    guard
      old.accept != settings.accept || old.acceptsSourceSpecific != settings.acceptsSourceSpecific
        || old.inbound != settings.inbound
    else { return }
    refilter(id, at: now)
    // What was refused before was not stored.
    neighbourTable[id]?.owesRouteRequest = true
    transmitSoon(to: id, within: timing.urgent, at: now)
  }

  /// Removes a neighbour and its routes; it is told, if the link is up.
  public mutating func removeNeighbour(_ id: NeighbourID, at now: Instant) {
    sendFarewell(to: id)
    guard neighbourTable.removeValue(forKey: id) != nil else { return }
    linkSyncs[id] = nil
    touch(id)
    forget(id, keepAnnouncer: false, at: now)
  }

  /// The link to a neighbour can carry packets: opens it with a burst of Hellos and asks for its routes.
  public mutating func linkUp(_ id: NeighbourID, at now: Instant) {
    guard let neighbour = neighbourTable[id], !neighbour.isUp, !isShutDown else { return }
    neighbourTable[id]?.reset()
    linkSyncs[id] = nil
    neighbourTable[id]?.roundTrip = RoundTrip(at: now)
    neighbourTable[id]?.isUp = true
    neighbourTable[id]?.turnedAt = now
    neighbourTable[id]?.owesRetraction = !neighbour.wasUp
    neighbourTable[id]?.wasUp = true
    // A meshd tells everything as soon as it finds the link usable, without being asked.
    neighbourTable[id]?.owesRouteRequest = !neighbour.isMeshd
    beginBurst(to: id, at: now)
    transmit(to: id, at: now)
    schedule(id)
    emit(.neighbourChanged(id))
  }

  /// Sends three Hellos in a row, so that two of the last three have arrived at once (§3.4.1 leaves the pace to us).
  mutating func beginBurst(to id: NeighbourID, at now: Instant) {
    neighbourTable[id]?.burst = 3
    neighbourTable[id]?.helloDeadline = now
  }

  /// The link to a neighbour is gone: it is unusable and silent until `linkUp`.
  public mutating func linkDown(_ id: NeighbourID, at now: Instant) {
    guard neighbourTable[id]?.isUp == true else { return }
    neighbourTable[id]?.reset()
    // Also what it said while the link could not be used already.
    forgetHeard(from: id)
    linkSyncs[id] = nil
    neighbourTable[id]?.isUp = false
    refreshCost(id, at: now)
    stopWaiting(for: id, at: now)
    emit(.neighbourChanged(id))
  }

  /// Closes the link to a neighbour that is told so: both can do without each other.
  public mutating func rest(_ id: NeighbourID, at now: Instant) {
    sendFarewell(to: id)
    linkDown(id, at: now)
    forget(id, keepAnnouncer: true, at: now)
  }

  /// Does what is due for a neighbour.
  mutating func run(_ id: NeighbourID, at now: Instant) {
    guard let before = neighbourTable[id]?.reach else { return }
    lookAfter(id, at: now)
    neighbourTable[id]?.multicastHellos.expire(at: now)
    neighbourTable[id]?.unicastHellos.expire(at: now)
    neighbourTable[id]?.roundTrip.expire(at: now)
    if let expiry = neighbourTable[id]?.ihuExpiry, expiry <= now {
      neighbourTable[id]?.txcost = .infinity
      neighbourTable[id]?.ihuExpiry = .distantFuture
    }
    if before != 0, neighbourTable[id]?.reach == 0 {
      // Sixteen Hellos in a row are missing: whoever it was is gone (RFC 8966 §3.4.1).
      neighbourTable[id]?.isHeard = false
      neighbourTable[id]?.authentication.forgetNeighbour()
      neighbourTable[id]?.txcost = .infinity
      neighbourTable[id]?.dumpDeadline = .distantFuture
      neighbourTable[id]?.dumpCursor = nil
      neighbourTable[id]?.pendingUpdates = UpdateQueue()
      neighbourTable[id]?.calmUpdates = []
      neighbourTable[id]?.calmDeadline = .distantFuture
      neighbourTable[id]?.requests = []
      linkSyncs[id] = nil
      refreshCost(id, at: now)
      forget(id, keepAnnouncer: true, at: now)
    }
    refreshCost(id, at: now)
    repeatUnacknowledged(id, at: now)
    // No copy of the row, which would make what waits in it be copied.
    let isTransmissionDue = neighbourTable[id]?.isTransmissionDue(at: now) == true
    if neighbourTable[id]?.isDumpDue(at: now) == true { beginDump(to: id, at: now) }
    if isTransmissionDue { transmit(to: id, at: now) }
  }

  /// Follows what the Hello history and the IHUs say about the link.
  mutating func refreshCost(_ id: NeighbourID, at now: Instant) {
    guard let neighbour = neighbourTable[id] else { return }
    touch(id)
    // Who says goodbye does not ask how well it was heard.
    let isLeaving = neighbour.isMeshd && neighbour.multicastHellos.isFarewell
    if neighbour.isHeard, !isLeaving, neighbour.toldRxcost != neighbour.rxcost {
      neighbourTable[id]?.owesIHU = true
      transmitSoon(to: id, within: .zero, at: now)
    }
    let cost = neighbour.currentCost
    guard cost != neighbour.cost else { return }
    neighbourTable[id]?.cost = cost
    // The digest is to be that of what we believe.
    if !cost.isFinite { forgetHeard(from: id) }
    if cost.isFinite != neighbour.cost.isFinite { turn(id, at: now) }
    var hasStale = false
    for slot in slots(of: id) {
      if let index = routeTable[slot].index(of: id) {
        routeTable[slot].routes[index].setCost(cost, halfLife: timing.smoothing, at: now)
        hasStale = hasStale || routeTable[slot].routes[index].isStale
      }
      reselect(slot, at: now)
      requestBetter(slot, at: now)
      settle(slot)
    }
    if !cost.isFinite {
      neighbourTable[id]?.unacknowledged = []
    } else if !neighbour.cost.isFinite {
      // Whatever either side said meanwhile may be lost. Where both lost the other, a meshd speaks without being asked.
      neighbourTable[id]?.owesRouteRequest = hasStale || !neighbour.isMeshd
      requestDump(to: id, at: now)
      repeatHeld(to: id, at: now)
    }
    emit(.neighbourChanged(id))
  }

  /// Forgets the routes of a neighbour and that anything waits for it.
  private mutating func forget(_ id: NeighbourID, keepAnnouncer: Bool, at now: Instant) {
    for slot in 0..<routeTable.endSlot where routeTable.contains(slot) {
      routeTable[slot].requests.remove(id)
      retract(slot, id, because: keepAnnouncer ? .linkDown : .removed, at: now)
      guard !keepAnnouncer, routeTable.contains(slot) else { continue }
      if removeFormerAnnouncers(slot, where: { $0.neighbour == id }) { report(slot) }
      settle(slot)
    }
    stopWaiting(for: id, at: now)
  }

  /// Ends the holds that only wait for a neighbour which cannot send packets here any more.
  private mutating func stopWaiting(for id: NeighbourID, at now: Instant) {
    for slot in 0..<routeTable.endSlot where routeTable.contains(slot) {
      acknowledgeHold(slot, by: id)
    }
  }

  /// Retracts once more what is held because of a neighbour that could not answer before.
  private mutating func repeatHeld(to id: NeighbourID, at now: Instant) {
    for slot in 0..<routeTable.endSlot where routeTable.contains(slot) {
      guard routeTable[slot].hold?.waiting.contains(id) == true else { continue }
      announce(routeTable[slot].key, to: id, within: timing.urgent, repeats: Self.copies, at: now)
    }
  }

  /// The slots with a route of a neighbour.
  ///
  /// Looks at every row, one after the other: for rare events.
  func slots(of id: NeighbourID) -> [RouteTable.Slot] {
    guard let neighbour = neighbourTable[id], neighbour.routeCount > 0 else { return [] }
    return (0..<routeTable.endSlot).filter { routeTable.contains($0) && routeTable[$0].index(of: id) != nil }
  }

  /// The cost of a neighbour's link.
  func cost(_ id: NeighbourID) -> Metric { neighbourTable[id]?.cost ?? .infinity }

  /// Sends a retraction of everything, and a Hello that expires as soon as it arrives.
  mutating func sendFarewell(to id: NeighbourID) {
    guard let neighbour = neighbourTable[id], neighbour.isUp else { return }
    let hello = Hello(seqno: neighbour.helloSeqno, interval: .farewell)
    neighbourTable[id]?.helloSeqno = neighbour.helloSeqno.successor
    send([.hello(hello), .wildcardRetraction], to: id)
  }
}

extension Neighbour {
  /// The last 16 Hellos of the better series, newest in the highest bit.
  var reach: UInt16 { max(multicastHellos.bits, unicastHellos.bits) }
}
