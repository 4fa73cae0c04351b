internal import Net
internal import OrderedCollections

// Between meshd nodes: nothing is said all over again. What changes is told until it is acknowledged, what stays is
// repeated a little with every Hello, and a digest of all says when the two ends differ.
extension Speaker {
  /// How long routes told to a neighbour last there until they are told again.
  func promise(to neighbour: Neighbour) -> Duration {
    neighbour.isMeshd ? timing.meshUpdate : timing.update
  }

  /// Notes what is about to be told; `true` if the neighbour did not know.
  @discardableResult
  mutating func noteTold(_ update: Update, to id: NeighbourID, _ slot: RouteTable.Slot?) -> Bool {
    let mark = RouteMark(update)
    let isNews = slot.map { linkSyncs[id]?.told.mark($0) != mark.rawValue } ?? true
    linkSyncs[id]?.told.note(mark, update.key, slot)
    return isNews
  }

  /// Notes what a neighbour has said, whatever we make of it.
  mutating func noteHeard(_ update: Update, from id: NeighbourID, _ slot: RouteTable.Slot?) {
    linkSyncs[id]?.heard.note(RouteMark(update), update.key, slot)
  }

  /// The key has got a row: ledgers go by its slot.
  mutating func enterLedgers(_ slot: RouteTable.Slot) {
    let key = routeTable[slot].key
    for id in linkSyncs.keys {
      linkSyncs[id]?.told.enter(key, slot)
      linkSyncs[id]?.heard.enter(key, slot)
    }
  }

  /// The row is about to be removed: ledgers go by its key.
  mutating func leaveLedgers(_ slot: RouteTable.Slot) {
    let key = routeTable[slot].key
    for id in linkSyncs.keys {
      linkSyncs[id]?.told.leave(key, slot)
      linkSyncs[id]?.heard.leave(key, slot)
    }
  }

  /// With a Hello: a share of what was told is told again, and what has become untrue is told anew.
  ///
  /// In a promise's time every route has its turn, so none expires. Metrics that changed too little to be told at once are
  /// told in the time of a full update, as the neighbours of a stock speaker would learn them, but no more than fit into
  /// one packet.
  mutating func appendUpkeep(_ id: NeighbourID, to transmission: inout Transmission, at now: Instant) {
    guard let neighbour = neighbourTable[id], neighbour.isMeshd, neighbour.isHeard,
      neighbour.cost.isFinite, neighbour.dumpCursor == nil
    else { return }
    let count = routeTable.endSlot
    // A little early, since the next round may be a little late.
    let due = linkSyncs[id]?.refresh.due(of: count, each: timing.meshUpdate * 15 / 16, at: now) ?? []
    let reviewed = linkSyncs[id]?.review.due(of: count, each: timing.update, at: now) ?? []
    let full = transmission.packetCount
    for slot in sorted(due, for: neighbour) { append(slot, to: id, neighbour, &transmission, at: now) }
    let untrue = reviewed.filter { isUntold($0, to: id, neighbour) }
    for slot in sorted(untrue, for: neighbour) where transmission.packetCount <= full {
      append(slot, to: id, neighbour, &transmission, at: now)
    }
  }

  private func isUntold(_ slot: RouteTable.Slot, to id: NeighbourID, _ neighbour: Neighbour) -> Bool {
    guard routeTable.contains(slot), let said = announcement(slot, to: neighbour),
      !neighbour.pendingUpdates.contains(routeTable[slot].key)
    else { return false }
    let mark = RouteMark(routeTable[slot].key, said.routerID, seqno: said.seqno, metric: said.metric)
    return linkSyncs[id]?.told.mark(slot) != mark.rawValue
  }

  private mutating func append(
    _ slot: RouteTable.Slot, to id: NeighbourID, _ neighbour: Neighbour,
    _ transmission: inout Transmission, at now: Instant
  ) {
    let update = update(routeTable[slot].key, to: neighbour, at: now)
    guard noteTold(update, to: id, slot) else {
      transmission.append(.update(update))
      return
    }
    confirm(update, in: &transmission, to: neighbour, repeats: Self.copies)
  }

  /// The rows among `slots` about which there is something to say, so that those of one originator share a Router-Id.
  func sorted(_ slots: [RouteTable.Slot], for neighbour: Neighbour) -> [RouteTable.Slot] {
    slots.compactMap { slot -> (rank: AnnouncementRank, slot: RouteTable.Slot)? in
      guard routeTable.contains(slot), let said = announcement(slot, to: neighbour) else { return nil }
      return (AnnouncementRank(routerID: said.routerID, key: routeTable[slot].key), slot)
    }.sorted { $0.rank < $1.rank }.map(\.slot)
  }

  /// Ends a packet with the digest of everything told, while nothing of it is on its way.
  mutating func appendDigest(_ id: NeighbourID, to transmission: inout Transmission) {
    guard let neighbour = neighbourTable[id], neighbour.isHeard, neighbour.unacknowledged.isEmpty,
      !transmission.isConfirmed, neighbour.dumpCursor == nil, let told = linkSyncs[id]?.told, told.isComplete
    else { return }
    transmission.append(.digest(told.digest))
  }

  /// Takes a digest: if it is not that of what we heard, we ask.
  mutating func receive(_ digest: SyncDigest, from id: NeighbourID, at now: Instant) {
    switch linkSyncs[id]?.compare(digest, at: now) {
    case .nothing, nil: return
    case .everything:
      counters.resynchronisations += 1
      linkSyncs[id]?.heard.beginRound()
      neighbourTable[id]?.owesRouteRequest = true
      transmitSoon(to: id, within: timing.urgent, at: now)
    case .missed:
      let keys =
        (linkSyncs[id]?.heard.missedSlots ?? []).filter { routeTable.contains($0) }.map { routeTable[$0].key }
        + (linkSyncs[id]?.heard.missedStrays ?? [])
      for key in keys {
        request(.routeRequest(RouteRequest(prefix: key.prefix, source: key.source)), of: id, at: now)
      }
    }
  }

  /// The neighbour turned out to be a meshd: from now on it is noted what either end says.
  mutating func beginSync(with id: NeighbourID) {
    guard linkSyncs[id] == nil else { return }
    linkSyncs[id] = LinkSync(strayLimit: limits.routesPerNeighbour)
  }

  /// Nothing that the neighbour said holds any more: no digest tells us that we missed the retraction of one of its routes.
  mutating func forgetHeard(from id: NeighbourID) {
    linkSyncs[id]?.heard.removeAll()
    for slot in slots(of: id) {
      if let index = routeTable[slot].index(of: id) { routeTable[slot].routes[index].becameStale() }
    }
  }
}
