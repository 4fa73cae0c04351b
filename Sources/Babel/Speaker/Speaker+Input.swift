public import Net
internal import OrderedCollections

extension Speaker {
  /// Takes the UDP payload of a packet from `source`, port 6696, to ff02::1:6 or our link-local address.
  ///
  /// Packets on a link that is down are dropped, as is what does not come from the neighbour's own address. In a packet that
  /// a later one has overtaken, routes that the neighbour has retracted meanwhile are lost, and not acknowledged: it may
  /// already send packets to their prefixes by shorter ones, and so back to us.
  public mutating func handle(
    _ payload: RawSpan, from id: NeighbourID, source: IPv6Address, destinationIsUnicast: Bool,
    isOvertaken: Bool = false, at now: Instant
  ) {
    guard neighbourTable[id]?.isUp == true, !isShutDown else { return }
    guard
      isAuthentic(payload, from: id, source: source, isUnicast: destinationIsUnicast, at: now)
    else {
      counters.unauthenticPackets += 1
      return
    }
    guard var reader = PacketReader(payload, from: source), admit(source, from: id, at: now) else {
      counters.foreignPackets += 1
      return
    }
    neighbourTable[id]?.lastHeard = now
    var hello: UInt32?
    var times: IHU.Timestamps?
    var overtakenRequest: UInt16?
    var isIncomplete = false
    while let message = reader.next() {
      switch message {
      case .acknowledgmentRequest(let opaque, _):
        guard !isOvertaken else {
          overtakenRequest = opaque
          continue
        }
        // At once, since the interval may be as short as the way (§3.3).
        send([.acknowledgment(opaque: opaque)], to: id, isUnicast: true)
      case .acknowledgment(let opaque):
        if destinationIsUnicast { acknowledge(opaque, by: id, at: now) }
      case .hello(let message):
        receive(message, from: id, at: now)
        hello = message.timestamp
        neighbourTable[id]?.roundTrip.hear(message.timestamp, at: clock.time(at: now))
      case .ihu(let ihu):
        if receive(ihu, from: id, at: now) { times = ihu.timestamps }
      case .update(let update):
        guard !isOvertaken || !mayBeRetracted(update, by: id) else {
          isIncomplete = true
          continue
        }
        receive(update, from: id, at: now)
      case .wildcardRetraction:
        forgetHeard(from: id)
        for slot in slots(of: id) { retract(slot, id, at: now) }
      case .routeRequest(let request):
        receive(request, from: id, at: now)
      case .seqnoRequest(let request):
        receive(request, from: id, at: now)
      case .digest(let digest):
        if !isOvertaken { receive(digest, from: id, at: now) }
      }
    }
    if let overtakenRequest, !isIncomplete {
      send([.acknowledgment(opaque: overtakenRequest)], to: id, isUnicast: true)
    }
    // Both or nothing: the times of one packet belong together (RFC 9616 §2.2).
    if let hello, let times {
      neighbourTable[id]?.roundTrip.measure(times, hello: hello, clock: clock.time(at: now), at: now)
    }
    counters.malformedTLVs += UInt64(reader.malformedCount)
    refreshCost(id, at: now)
    schedule(id)
  }

  /// Whether the neighbour may have retracted a route since it sent an update.
  ///
  /// A retraction of what we did not know leaves no trace. A meshd says again what we drop; others may not, and from them
  /// only what they retracted a moment ago is suspect.
  private func mayBeRetracted(_ update: Update, by id: NeighbourID) -> Bool {
    guard update.metric.isFinite else { return false }
    let isMeshd = neighbourTable[id]?.isMeshd == true
    guard let slot = routeTable.slot(RouteKey(update.prefix, source: update.source)) else { return isMeshd }
    return isMeshd
      ? routeTable[slot].index(of: id) == nil
      : routeTable[slot].formerAnnouncers.contains { $0.neighbour == id }
  }

  private mutating func admit(_ source: IPv6Address, from id: NeighbourID, at now: Instant) -> Bool {
    let former = neighbourTable[id]?.linkLocals.last
    guard neighbourTable[id]?.admit(source, capacity: limits.linkLocals) == true else { return false }
    if former != source { emit(.neighbourChanged(id)) }
    if neighbourTable[id]?.isMeshd == true { beginSync(with: id) }
    if neighbourTable[id]?.isHeard == false {
      neighbourTable[id]?.isHeard = true
      // It may not have been there yet when the link opened.
      if neighbourTable[id]?.burst == 0 { beginBurst(to: id, at: now) }
      if neighbourTable[id]?.isMeshd == false { requestDump(to: id, at: now) }
    }
    return true
  }

  private mutating func receive(_ hello: Hello, from id: NeighbourID, at now: Instant) {
    neighbourTable[id]?.lastHello = now
    let finding =
      hello.isUnicast
      ? neighbourTable[id]?.unicastHellos.receive(hello, at: now)
      : neighbourTable[id]?.multicastHellos.receive(hello, at: now)
    if hello.interval.isFarewell { noteDismissal(by: id, at: now) }
    guard finding == .restarted else { return }
    // Its routes stay until they expire or it retracts them, but its IHU was from another life.
    if neighbourTable[id]?.isMeshd == true {
      forgetHeard(from: id)
      // A meshd jumps only when it has started, and it retracted everything then, which may be lost. It has forgotten its
      // distances too and may take a route through us: together with one of ours through it that is a loop.
      for slot in slots(of: id) { retract(slot, id, because: .restarted, at: now) }
    }
    neighbourTable[id]?.liveness.restart()
    neighbourTable[id]?.txcost = .infinity
    neighbourTable[id]?.ihuExpiry = .distantFuture
    neighbourTable[id]?.toldRxcost = nil
    neighbourTable[id]?.owesRouteRequest = true
    beginBurst(to: id, at: now)
  }

  /// Takes an IHU; `false` if it is for another of several listeners, which is no error.
  private mutating func receive(_ ihu: IHU, from id: NeighbourID, at now: Instant) -> Bool {
    guard let settings = neighbourTable[id]?.settings else { return false }
    if let address = ihu.address, address != .v6(settings.ourLinkLocal) { return false }
    neighbourTable[id]?.txcost = ihu.rxcost
    neighbourTable[id]?.ihuExpiry =
      ihu.rxcost.isFinite ? now.advanced(by: ihu.interval.duration * 7 / 2) : .distantFuture
    if ihu.rxcost.isFinite { believe(id, at: now) }
    return true
  }

  private mutating func acknowledge(_ opaque: UInt16, by id: NeighbourID, at now: Instant) {
    noteAnswer(opaque, of: id, at: now)
    guard let packets = neighbourTable[id]?.unacknowledged,
      let index = packets.firstIndex(where: { $0.opaque == opaque })
    else { return }
    neighbourTable[id]?.unacknowledged.remove(at: index)
    for item in packets[index].items where item.epoch != 0 {
      guard let slot = routeTable.slot(item.key), routeTable[slot].hold?.epoch == item.epoch else { continue }
      acknowledgeHold(slot, by: id)
    }
  }
}
