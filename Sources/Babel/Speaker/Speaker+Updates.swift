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
    guard neighbourTable[id]?.queue(key, repeats: repeats) == true else { return }
    transmitSoon(to: id, within: delay, at: now)
  }

  /// Queues an update that nobody waits for: metrics that keep changing are told once in a while.
  ///
  /// What got worse has less time: packets go the wrong way.
  mutating func announceCalmly(_ key: RouteKey, isNotable: Bool, isDamped: Bool, at now: Instant) {
    let delay = isNotable ? timing.calm : timing.hesitation
    for id in neighbourTable.keys where mayHear(id, of: key) {
      guard neighbourTable[id]?.queueCalmly(key, isNotable: isNotable) == true else { continue }
      let time = now.advanced(by: jittered(delay, share: 0.2))
      neighbourTable[id]?.hastenCalmUpdates(to: time, pause: isDamped ? timing.damping : .zero)
      schedule(id)
    }
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
    // A meshd is told again little by little.
    let isLast = neighbourTable[id]?.isMeshd == true
    let next = isLast ? .distantFuture : now.advanced(by: jittered(timing.update))
    neighbourTable[id]?.lastDump = now
    neighbourTable[id]?.dumpCursor = 0
    neighbourTable[id]?.dumpDeadline = next
    neighbourTable[id]?.transmission = now
  }

  /// Sends what waits for a neighbour, as far as its pace allows.
  mutating func transmit(to id: NeighbourID, at now: Instant) {
    neighbourTable[id]?.transmission = .distantFuture
    transmitRequests(to: id, at: now)
    let isHelloDue = neighbourTable[id].map { $0.helloDeadline <= now } ?? false
    let probe = isHelloDue ? probeBesideHello(id, at: now) : nil
    neighbourTable[id]?.releaseCalmUpdates(at: now)
    // Taken out, or the first change would copy it, since the row's copy shares it.
    guard var queue = neighbourTable[id]?.takePendingUpdates(), let neighbour = neighbourTable[id] else {
      return
    }
    var transmission = Transmission(to: neighbour.settings, opaque: neighbour.opaque)
    if isHelloDue { appendHello(id, to: &transmission, at: now) }
    if let probe { transmission.append(probe) }
    if neighbour.owesRetraction { transmission.append(.wildcardRetraction) }
    if neighbour.owesRouteRequest { transmission.append(.routeRequest(RouteRequest())) }
    neighbourTable[id]?.owesRetraction = false
    neighbourTable[id]?.owesRouteRequest = false
    appendIHU(id, to: &transmission, followsHello: isHelloDue, at: now)
    append(&queue, to: id, &transmission, at: now)
    neighbourTable[id]?.pendingUpdates = queue
    if isHelloDue { appendUpkeep(id, to: &transmission, at: now) }
    appendDump(id, to: &transmission, at: now)
    if isHelloDue { appendDigest(id, to: &transmission) }
    transmission.close()
    neighbourTable[id]?.opaque = transmission.nextOpaque
    for packet in transmission.unacknowledged {
      let repeats = packet.items.map(\.repeats).max() ?? 0
      let wait = max(timing.acknowledgment, (neighbour.roundTrip.smoothed ?? .zero) * 2)
      neighbourTable[id]?.unacknowledged.append(
        Neighbour.Unacknowledged(
          opaque: packet.opaque, items: packet.items,
          deadline: now.advanced(by: wait * (1 << max(Self.copies - repeats, 0)))))
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

  private mutating func append(
    _ queue: inout UpdateQueue, to id: NeighbourID, _ transmission: inout Transmission, at now: Instant
  ) {
    guard let neighbour = neighbourTable[id], !queue.isEmpty else { return }
    var pace = neighbour.urgentPace
    let limit = transmission.packets.count + pace.allowance(at: now)
    while transmission.packets.count < limit,
      let item = queue.removeFirst(by: { rank(of: $0, for: neighbour) })
    {
      let update = update(item.key, to: neighbour, at: now)
      noteTold(update, to: id, routeTable.slot(item.key))
      confirm(update, in: &transmission, to: neighbour, repeats: item.repeats)
    }
    pace.spend(transmission.packetCount, at: now)
    neighbourTable[id]?.urgentPace = pace
    if !queue.isEmpty { resume(id, at: pace.ready) }
  }

  private func rank(of key: RouteKey, for neighbour: Neighbour) -> AnnouncementRank {
    guard let slot = routeTable.slot(key) else { return AnnouncementRank(routerID: nil, key: key) }
    return AnnouncementRank(routerID: announcement(slot, to: neighbour)?.routerID, key: key)
  }

  /// Adds an update, and asks for its acknowledgment if it is worth repeating.
  ///
  /// Who cannot answer is not asked, and gets a full update when it can again.
  mutating func confirm(
    _ update: Update, in transmission: inout Transmission, to neighbour: Neighbour, repeats: Int
  ) {
    let room = limits.unacknowledgedPackets - neighbour.unacknowledged.count
    guard repeats > 0, neighbour.cost.isFinite, transmission.confirmedCount <= room else {
      transmission.append(.update(update))
      return
    }
    let epoch = routeTable.slot(update.key).flatMap { routeTable[$0].hold?.epoch } ?? 0
    transmission.append(
      update, confirming: Neighbour.Unacknowledged.Item(key: update.key, epoch: epoch, repeats: repeats))
  }

  private mutating func appendDump(
    _ id: NeighbourID, to transmission: inout Transmission, at now: Instant
  ) {
    guard let neighbour = neighbourTable[id], var slot = neighbour.dumpCursor else { return }
    let start = transmission.packets.count
    let limit = start + neighbour.calmPace.allowance(at: now)
    // Sorted in chunks, so that updates of one originator share a Router-Id.
    while slot < routeTable.endSlot, transmission.packets.count < limit {
      let chunk = slot..<min(slot + 256, routeTable.endSlot)
      let keys = chunk.compactMap { slot -> AnnouncementRank? in
        guard routeTable.contains(slot) else { return nil }
        let said = announcement(slot, to: neighbour)
        guard said != nil || routeTable[slot].hold != nil else { return nil }
        return AnnouncementRank(routerID: said?.routerID, key: routeTable[slot].key)
      }
      for rank in keys.sorted() {
        let update = update(rank.key, to: neighbour, at: now)
        noteTold(update, to: id, routeTable.slot(rank.key))
        confirm(update, in: &transmission, to: neighbour, repeats: neighbour.isMeshd ? Self.copies : 0)
      }
      slot = chunk.upperBound
    }
    neighbourTable[id]?.calmPace.spend(transmission.packets.count - start, at: now)
    guard slot < routeTable.endSlot else {
      neighbourTable[id]?.dumpCursor = nil
      return
    }
    neighbourTable[id]?.dumpCursor = slot
    resume(id, at: neighbourTable[id]?.calmPace.ready ?? now)
  }

  /// Has what the pace held back go on.
  private mutating func resume(_ id: NeighbourID, at time: Instant) {
    guard let neighbour = neighbourTable[id] else { return }
    neighbourTable[id]?.transmission = min(neighbour.transmission, time)
  }

  /// Queues a request, to leave at once with the others that the same input causes.
  ///
  /// Others make us pass on theirs faster than the pace lets them leave, so there is a bound; who needs an answer asks again.
  mutating func request(_ message: TLV, of id: NeighbourID, at now: Instant) {
    guard let neighbour = neighbourTable[id], neighbour.isUp,
      neighbour.requests.count < limits.requestsPerNeighbour
    else { return }
    neighbourTable[id]?.requests.append(message)
    asked.append(id)
    askedAt = now
  }

  /// Sends the requests that inputs since the last time have caused.
  mutating func sendRequests() {
    guard !asked.isEmpty else { return }
    for id in asked {
      transmitRequests(to: id, at: askedAt)
      schedule(id)
    }
    asked = []
  }

  /// Sends requests by unicast, which forwarded ones must be (§3.8.2.1), as far as the pace allows.
  private mutating func transmitRequests(to id: NeighbourID, at now: Instant) {
    guard let neighbour = neighbourTable[id], !neighbour.requests.isEmpty else { return }
    let allowance = neighbour.urgentPace.allowance(at: now)
    var transmission = Transmission(to: neighbour.settings, opaque: neighbour.opaque)
    var count = 0
    for message in neighbour.requests where transmission.packets.count < allowance {
      transmission.append(message)
      count += 1
    }
    transmission.close()
    neighbourTable[id]?.requests.removeFirst(count)
    neighbourTable[id]?.urgentPace.spend(transmission.packets.count, at: now)
    for packet in transmission.packets { depart(packet, to: id, destination: neighbour.linkLocals.last) }
    guard let rest = neighbourTable[id], !rest.requests.isEmpty else { return }
    resume(id, at: rest.urgentPace.ready)
  }

  /// What to say about a prefix at this moment.
  ///
  /// The feasibility distance is written here and nowhere else, for every finite update and before it can
  /// arrive anywhere (§3.7.3).
  mutating func update(_ key: RouteKey, to neighbour: Neighbour, at now: Instant) -> Update {
    let interval = Interval(promise(to: neighbour))
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

  /// Queues what a neighbour did not acknowledge in time once more, with the values of then.
  mutating func repeatUnacknowledged(_ id: NeighbourID, at now: Instant) {
    guard let late = neighbourTable[id]?.unacknowledged.filter({ $0.deadline <= now }), !late.isEmpty else {
      return
    }
    neighbourTable[id]?.unacknowledged.removeAll { $0.deadline <= now }
    for item in late.lazy.flatMap(\.items) {
      neighbourTable[id]?.repeatUpdate(item)
    }
    transmitSoon(to: id, within: .zero, at: now)
  }
}
