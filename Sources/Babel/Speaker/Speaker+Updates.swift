internal import Net
internal import OrderedCollections

extension Speaker {
  /// Queues an update for every neighbour that listens.
  ///
  /// No split horizon: neighbours need to know that we know a prefix to accept packets from it
  /// (`decisions.md` 13).
  mutating func announce(_ key: RouteKey, within delay: Duration, repeats: Int, at now: Instant) {
    for id in neighbourTable.keys where neighbourTable[id]?.isHeard == true && mayHear(id, of: key) {
      announce(key, to: id, within: delay, repeats: repeats, at: now)
    }
  }

  /// Queues an update for a neighbour.
  ///
  /// The prefix is queued, not the values: it is told what is true when it is sent.
  mutating func announce(
    _ key: RouteKey, to id: NeighbourID, within delay: Duration, repeats: Int, at now: Instant
  ) {
    guard neighbourTable[id]?.isHeard == true else { return }
    neighbourTable[id]?.pendingUpdates[key, default: 0].raise(to: repeats)
    transmitSoon(to: id, within: delay, at: now)
  }

  /// Has a packet leave within `delay`.
  mutating func transmitSoon(to id: NeighbourID, within delay: Duration, at now: Instant) {
    guard neighbourTable[id]?.isUp == true else { return }
    // A little patience lets the updates of one event travel together.
    let time = now.advanced(by: jittered(delay, share: 0.2))
    guard let other = neighbourTable[id]?.transmission, time < other else { return }
    neighbourTable[id]?.transmission = time
    schedule(id)
  }

  /// Has a full update begin as soon as the last one is long enough ago.
  mutating func requestDump(to id: NeighbourID, at now: Instant) {
    guard let neighbour = neighbourTable[id], neighbour.isHeard else { return }
    var time = now.advanced(by: jittered(timing.urgent, share: 0.2))
    if let last = neighbour.lastDump { time = max(time, last.advanced(by: timing.dumpSpacing)) }
    neighbourTable[id]?.dumpDeadline = min(time, neighbour.dumpDeadline)
    schedule(id)
  }

  /// Begins a full update; portions follow with the next packets.
  mutating func beginDump(to id: NeighbourID, at now: Instant) {
    let next = now.advanced(by: jittered(timing.update))
    neighbourTable[id]?.lastDump = now
    neighbourTable[id]?.dumpCursor = 0
    neighbourTable[id]?.dumpDeadline = next
    neighbourTable[id]?.transmission = now
  }

  /// Sends everything that waits for a neighbour.
  mutating func transmit(to id: NeighbourID, at now: Instant) {
    neighbourTable[id]?.transmission = .distantFuture
    let isHelloDue = neighbourTable[id].map { $0.helloDeadline <= now } ?? false
    let probe = isHelloDue ? probeBesideHello(id, at: now) : nil
    guard let neighbour = neighbourTable[id] else { return }
    var transmission = Transmission(to: neighbour.settings, opaque: neighbour.opaque)
    if isHelloDue { appendHello(id, to: &transmission, at: now) }
    if let probe { transmission.append(probe) }
    if neighbour.owesRetraction { transmission.append(.wildcardRetraction) }
    if neighbour.owesRouteRequest { transmission.append(.routeRequest(RouteRequest())) }
    neighbourTable[id]?.owesRetraction = false
    neighbourTable[id]?.owesRouteRequest = false
    appendIHU(id, to: &transmission, followsHello: isHelloDue, at: now)
    appendPendingUpdates(id, to: &transmission, at: now)
    appendDump(id, to: &transmission, at: now)
    transmission.close()
    neighbourTable[id]?.opaque = transmission.nextOpaque
    for packet in transmission.unacknowledged {
      let repeats = packet.items.map(\.repeats).max() ?? 0
      let wait = timing.acknowledgment * (1 << max(Self.copies - repeats, 0))
      neighbourTable[id]?.unacknowledged.append(
        Neighbour.Unacknowledged(
          opaque: packet.opaque, items: packet.items, deadline: now.advanced(by: wait)))
    }
    for packet in transmission.packets { depart(packet, to: id) }
    scheduleSources()
  }

  private mutating func appendHello(
    _ id: NeighbourID, to transmission: inout Transmission, at now: Instant
  ) {
    guard let neighbour = neighbourTable[id] else { return }
    // U = 0 and scheduled, always: nothing else keeps babeld and BIRD content (`decisions.md` 11).
    let timestamp = neighbour.takesTimestamps ? clock.time(at: now) : nil
    let interval = helloInterval(to: neighbour, at: now)
    transmission.append(
      .hello(Hello(seqno: neighbour.helloSeqno, interval: Interval(interval), timestamp: timestamp)))
    let burst = max(neighbour.burst - 1, 0)
    let wait = burst > 0 ? jittered(timing.burst) : jittered(interval)
    neighbourTable[id]?.burst = burst
    neighbourTable[id]?.helloSeqno = neighbour.helloSeqno.successor
    neighbourTable[id]?.helloDeadline = now.advanced(by: wait)
    neighbourTable[id]?.hellosSinceIHU += 1
    if neighbour.isMeshd || neighbour.hellosSinceIHU + 1 >= timing.hellosPerIHU {
      neighbourTable[id]?.owesIHU = true
    }
  }

  private mutating func appendIHU(
    _ id: NeighbourID, to transmission: inout Transmission, followsHello: Bool, at now: Instant
  ) {
    guard let neighbour = neighbourTable[id], neighbour.owesIHU, neighbour.isHeard,
      let address = neighbour.linkLocals.last
    else { return }
    let interval = Interval(helloInterval(to: neighbour, at: now) * timing.hellosPerIHU)
    // The times in an IHU mean something only beside the time in a Hello (RFC 9616 §2.2).
    let times = followsHello ? neighbour.roundTrip.echo : nil
    transmission.append(
      .ihu(IHU(address: .v6(address), rxcost: neighbour.rxcost, interval: interval, timestamps: times)))
    neighbourTable[id]?.owesIHU = false
    neighbourTable[id]?.hellosSinceIHU = 0
    neighbourTable[id]?.toldRxcost = neighbour.rxcost
  }

  private mutating func appendPendingUpdates(
    _ id: NeighbourID, to transmission: inout Transmission, at now: Instant
  ) {
    guard let neighbour = neighbourTable[id], !neighbour.pendingUpdates.isEmpty else { return }
    neighbourTable[id]?.pendingUpdates = [:]
    let items = neighbour.pendingUpdates.map { key, repeats in
      (update: update(key, to: neighbour, at: now), key: key, repeats: repeats)
    }.sorted { Self.goesBefore($0.update, $1.update) }
    let room = limits.unacknowledgedPackets - neighbour.unacknowledged.count
    for item in items {
      // Who cannot answer is not asked, and gets a full update when it can again.
      guard item.repeats > 0, neighbour.cost.isFinite, transmission.unacknowledged.count < room else {
        transmission.append(.update(item.update))
        continue
      }
      let epoch = routeTable.slot(item.key).flatMap { routeTable[$0].hold?.epoch } ?? 0
      transmission.append(
        item.update,
        confirming: Neighbour.Unacknowledged.Item(key: item.key, epoch: epoch, repeats: item.repeats))
    }
  }

  private mutating func appendDump(
    _ id: NeighbourID, to transmission: inout Transmission, at now: Instant
  ) {
    guard let neighbour = neighbourTable[id], var slot = neighbour.dumpCursor else { return }
    let limit = transmission.packets.count + limits.packetsPerPortion
    // Sorted in chunks, so that updates of one originator share a Router-Id.
    while slot < routeTable.endSlot, transmission.packets.count < limit {
      let chunk = slot..<min(slot + 256, routeTable.endSlot)
      var updates: [Update] = []
      for slot in chunk where routeTable.contains(slot) {
        guard announcement(slot, to: neighbour) != nil || routeTable[slot].hold != nil else { continue }
        updates.append(update(routeTable[slot].key, to: neighbour, at: now))
      }
      for update in updates.sorted(by: Self.goesBefore) { transmission.append(.update(update)) }
      slot = chunk.upperBound
    }
    guard slot < routeTable.endSlot else {
      neighbourTable[id]?.dumpCursor = nil
      return
    }
    neighbourTable[id]?.dumpCursor = slot
    neighbourTable[id]?.transmission = now.advanced(by: timing.dumpPortion)
  }

  /// What to say about a prefix at this moment.
  ///
  /// The feasibility distance is written here and nowhere else, for every finite update and before it can
  /// arrive anywhere (§3.7.3).
  private mutating func update(_ key: RouteKey, to neighbour: Neighbour, at now: Instant) -> Update {
    let interval = Interval(timing.update)
    let nextHop = neighbour.nextHop(key.prefix.family)
    let isIPv4ViaIPv6 = nextHop.family != key.prefix.family
    let retraction = Update(
      retracting: key.prefix, source: key.source, isIPv4ViaIPv6: isIPv4ViaIPv6, seqno: seqno,
      interval: interval)
    guard let slot = routeTable.slot(key), let said = announcement(slot, to: neighbour) else {
      return retraction
    }
    // For a claim as for a route of others: after its end, only a newer one is feasible.
    if routeTable[slot].local == nil || routeTable[slot].claim != nil {
      guard
        sourceTable.record(key, said.routerID, seqno: said.seqno, metric: said.metric, at: now)
      else {
        counters.overflows += 1
        return retraction
      }
      // Which other routes are feasible depends on it.
      touch(slot)
    }
    routeTable[slot].announced = announcement(slot)
    return Update(
      prefix: key.prefix, source: key.source, isIPv4ViaIPv6: isIPv4ViaIPv6, routerID: said.routerID,
      nextHop: nextHop, seqno: said.seqno, metric: said.metric, interval: interval)
  }

  /// Retractions first, then by originator and key.
  private static func goesBefore(_ update: Update, _ other: Update) -> Bool {
    switch (update.routerID, other.routerID) {
    case (nil, nil): update.key < other.key
    case (nil, _?): true
    case (_?, nil): false
    case (let first?, let second?): first != second ? first < second : update.key < other.key
    }
  }

  /// Queues what a neighbour did not acknowledge in time once more, with the values of then.
  mutating func repeatUnacknowledged(_ id: NeighbourID, at now: Instant) {
    guard let late = neighbourTable[id]?.unacknowledged.filter({ $0.deadline <= now }), !late.isEmpty else {
      return
    }
    neighbourTable[id]?.unacknowledged.removeAll { $0.deadline <= now }
    for item in late.lazy.flatMap(\.items) {
      neighbourTable[id]?.pendingUpdates[item.key, default: 0].raise(to: item.repeats - 1)
    }
    transmitSoon(to: id, within: .zero, at: now)
  }
}

extension Update {
  fileprivate var key: RouteKey { RouteKey(prefix, source: source) }
}

extension Int {
  fileprivate mutating func raise(to other: Int) {
    self = Swift.max(self, other)
  }
}
