internal import Net
internal import OrderedCollections

extension Speaker {
  /// The hop count of a seqno request of ours (§3.8.1.2 suggests 64).
  static let hopCount: UInt8 = 64
  /// To how many neighbours a starving node turns.
  static let starvationTargets = 3
  /// How often the holder of a newer claim asks.
  static let claimAttempts = 5
  /// By how much a request may raise our number at once: half of what still compares as newer.
  static let longestLeap = 1 << 14
  /// How often we ask for the number that makes a better route usable, if it is only a little better.
  static let improvementAttempts = 3

  /// Takes a route request (§3.8.1.1).
  mutating func receive(_ request: RouteRequest, from id: NeighbourID, at now: Instant) {
    guard let prefix = request.prefix else {
      neighbourTable[id]?.owesIHU = true
      // Who is a meshd gets everything in any case when the link becomes usable.
      guard neighbourTable[id]?.isMeshd == false || cost(id).isFinite else { return }
      requestDump(to: id, at: now)
      return
    }
    let key = RouteKey(prefix, source: request.source)
    // What we do not know is the neighbour's choice, and answers have their pace.
    guard
      routeTable.slot(key) != nil
        || (neighbourTable[id]?.pendingUpdates.count ?? 0) < limits.requestsPerNeighbour
    else { return }
    announce(key, to: id, within: timing.urgent, repeats: 0, at: now)
  }

  /// Takes a seqno request (§3.8.1.2).
  mutating func receive(_ request: SeqnoRequest, from id: NeighbourID, at now: Instant) {
    let key = RouteKey(request.prefix, source: request.source)
    guard let slot = routeTable.slot(key), let current = announcement(slot) else { return }
    guard current.routerID == request.routerID, !current.seqno.answers(request.seqno) else {
      announce(key, to: id, within: timing.urgent, repeats: Self.copies, at: now)
      return
    }
    guard !isNewerClaim(request, slot) else {
      yieldClaim(slot, to: request.seqno, at: now)
      settle(slot)
      return
    }
    guard routeTable[slot].local == nil else {
      // Copies of the request find it satisfied.
      if let claim = routeTable[slot].claim {
        routeTable[slot].claim?.seqno = claim.seqno.successor
      } else {
        raiseSeqno(towards: request.seqno, at: now)
      }
      announceChange(slot, at: now)
      announce(key, within: timing.urgent, repeats: Self.copies, at: now)
      return
    }
    guard request.hopCount > 1 else { return }
    forward(request, slot, from: id, at: now)
    settle(slot)
  }

  /// Raises our number because a newer one was asked for, or came back.
  ///
  /// One more is all that honest nodes need. More is needed where somebody has announced our prefix in our name, with a
  /// number of his own: whoever believed it can use no route to us below that number, until it forgets. A leap helps, but
  /// lets others wear the number out, so it is a rare one, and too short for those who miss it to take it for an older one.
  mutating func raiseSeqno(towards wanted: Seqno, at now: Instant) {
    let distance = wanted.distance(from: seqno)
    if distance > 1, now >= nextLeap {
      nextLeap = now.advanced(by: timing.leapSpacing)
      seqno = Seqno(seqno.rawValue &+ UInt16(min(distance, Self.longestLeap)))
    } else {
      seqno = seqno.successor
    }
    emit(.seqnoChanged(seqno))
  }

  /// Passes a request on to one neighbour that is nearer to the originator, never back and never twice.
  private mutating func forward(
    _ request: SeqnoRequest, _ slot: RouteTable.Slot, from id: NeighbourID, at now: Instant
  ) {
    guard let target = forwardingTarget(slot, excluding: id, at: now) else { return }
    let quietUntil = now.advanced(by: timing.requestSuppression)
    let deadline = now.advanced(by: timing.requestResend * 32)
    if let index = routeTable[slot].requests.index(covering: request.routerID, request.seqno) {
      routeTable[slot].requests.add(requester: id, at: index)
      guard routeTable[slot].requests.rows[index].quietUntil <= now else { return }
      routeTable[slot].requests.renew(at: index, quietUntil: quietUntil, deadline: deadline)
    } else {
      routeTable[slot].requests.insert(
        PendingSeqnoRequest(
          routerID: request.routerID, seqno: request.seqno, reason: .forwarded, requesters: [id],
          quietUntil: quietUntil, deadline: deadline),
        capacity: limits.requestsPerPrefix)
    }
    var forwarded = request
    forwarded.hopCount -= 1
    self.request(.seqnoRequest(forwarded), of: target, at: now)
  }

  /// The neighbour in use if it did not ask, else the best feasible, else the best unfeasible one.
  private func forwardingTarget(
    _ slot: RouteTable.Slot, excluding id: NeighbourID, at now: Instant
  ) -> NeighbourID? {
    if let selected = routeTable[slot].selected, selected != id { return selected }
    let others = routeTable[slot].routes.filter { $0.neighbour != id && $0.metric.isFinite }
    let feasible = others.filter { isFeasible($0, slot, at: now) }
    return (feasible.isEmpty ? others : feasible).min { Self.isNearer($0, $1) }?.neighbour
  }

  private static func isNearer(_ route: Route, _ other: Route) -> Bool {
    route.metric != other.metric ? route.metric < other.metric : route.neighbour < other.neighbour
  }

  /// Asks for newer numbers if there are ways to the prefix but none may be used (§3.8.2.1).
  mutating func requestIfStarved(_ slot: RouteTable.Slot, at now: Instant) {
    guard routeTable[slot].local == nil, routeTable[slot].selected == nil else { return }
    let ways = routeTable[slot].routes.filter(\.metric.isFinite).sorted(by: Self.isNearer)
    var asked: [RouterID] = []
    for way in ways.prefix(Self.starvationTargets) where !asked.contains(way.routerID) {
      asked.append(way.routerID)
      guard let needed = neededSeqno(slot, way.routerID, at: now) else { continue }
      ask(slot, pendingRequest(way.routerID, needed, .starvation, at: now), at: now)
    }
  }

  /// Sends a request of ours, unless we are asking already.
  ///
  /// Only the first time may wait for the answer to another.
  private mutating func ask(_ slot: RouteTable.Slot, _ request: PendingSeqnoRequest, at now: Instant) {
    let covering = routeTable[slot].requests.index(covering: request.routerID, request.seqno)
      .map { routeTable[slot].requests.rows[$0] }
    if let covering, Self.isEnough(covering.reason, for: request.reason) { return }
    routeTable[slot].requests.insert(request, capacity: limits.requestsPerPrefix)
    guard (covering?.quietUntil ?? now) <= now else { return }
    send(request, slot, at: now)
  }

  /// Whether a pending request is repeated for as long as another one would be.
  ///
  /// Others may have what they need before we have, and repeat theirs no more; and whoever looks for a better way gives up.
  private static func isEnough(
    _ pending: PendingSeqnoRequest.Reason, for wanted: PendingSeqnoRequest.Reason
  ) -> Bool {
    switch (pending, wanted) {
    case (.forwarded, _): false
    case (.starvation, _): true
    case (_, .starvation): false
    default: true
    }
  }

  /// Asks the announcer of an unfeasible route for a newer number if the route would be used (§3.8.2.2).
  mutating func requestIfBetter(_ slot: RouteTable.Slot, _ route: Route, at now: Instant) {
    guard let selected = routeTable[slot].selectedRoute, selected.neighbour != route.neighbour,
      let index = routeTable[slot].index(of: route.neighbour),
      routeTable[slot].routes[index].metric < selected.metric, !isFeasible(route, slot, at: now)
    else { return }
    request(slot, route, at: now)
  }

  /// Asks for newer numbers when the route in use became so bad that an unfeasible one would be far better.
  ///
  /// The answer costs the whole network a number, so not for a small gain.
  mutating func requestBetter(_ slot: RouteTable.Slot, at now: Instant) {
    guard let selected = routeTable[slot].selectedRoute else { return }
    let rivals = routeTable[slot].routes.filter { $0.metric.isFinite && $0.neighbour != selected.neighbour }
    guard let best = rivals.min(by: Self.isNearer), !isFeasible(best, slot, at: now), isFarBetter(best, slot)
    else { return }
    request(slot, best, at: now)
  }

  private func isFarBetter(_ route: Route, _ slot: RouteTable.Slot) -> Bool {
    guard let selected = routeTable[slot].selectedRoute, selected.neighbour != route.neighbour else {
      return false
    }
    return route.metric < selected.metric && Self.isNotable(from: selected.metric, to: route.metric)
  }

  /// Asks the announcer of an unfeasible route for a newer number.
  mutating func request(_ slot: RouteTable.Slot, _ route: Route, at now: Instant) {
    guard let needed = neededSeqno(slot, route.routerID, at: now) else { return }
    ask(slot, pendingRequest(route.routerID, needed, .unfeasible(route.neighbour), at: now), at: now)
  }

  /// Sends our requests again whose answer is late, as long as there is need for it.
  mutating func repeatRequests(_ slot: RouteTable.Slot, at now: Instant) {
    for var request in routeTable[slot].requests.removeDue(at: now) {
      switch request.reason {
      case .forwarded:
        continue
      case .starvation:
        guard routeTable[slot].selected == nil, routeTable[slot].routes.contains(where: \.metric.isFinite)
        else { continue }
      case .unfeasible(let id):
        guard let index = routeTable[slot].index(of: id),
          !routeTable[slot].routes[index].seqno.answers(request.seqno),
          request.attempts < Self.improvementAttempts || isFarBetter(routeTable[slot].routes[index], slot)
        else { continue }
      case .claim:
        guard let claim = routeTable[slot].claim, request.attempts < Self.claimAttempts,
          !olderClaims(slot, than: claim).isEmpty
        else { continue }
      }
      let wait = timing.requestResend * (1 << min(request.attempts, 16))
      request.deadline = now.advanced(by: min(wait, timing.requestPatience))
      request.attempts += 1
      routeTable[slot].requests.insert(request, capacity: limits.requestsPerPrefix)
      send(request, slot, at: now)
    }
  }

  /// Tells the holders of older claims of ours.
  mutating func request(_ slot: RouteTable.Slot, for claim: Destination.Claim, at now: Instant) {
    let request = pendingRequest(claim.routerID, claim.seqno, .claim, at: now)
    routeTable[slot].requests.insert(request, capacity: limits.requestsPerPrefix)
    send(request, slot, at: now)
  }

  private func pendingRequest(
    _ routerID: RouterID, _ seqno: Seqno, _ reason: PendingSeqnoRequest.Reason, at now: Instant
  ) -> PendingSeqnoRequest {
    PendingSeqnoRequest(
      routerID: routerID, seqno: seqno, reason: reason,
      quietUntil: now.advanced(by: timing.requestSuppression),
      deadline: now.advanced(by: timing.requestResend))
  }

  /// The oldest number that makes any route to the source feasible; `nil` if all of them are.
  private func neededSeqno(_ slot: RouteTable.Slot, _ routerID: RouterID, at now: Instant) -> Seqno? {
    sourceTable.distance(routeTable[slot].key, routerID, at: now)?.seqno.successor
  }

  private mutating func send(_ request: PendingSeqnoRequest, _ slot: RouteTable.Slot, at now: Instant) {
    let key = routeTable[slot].key
    let message = TLV.seqnoRequest(
      SeqnoRequest(
        prefix: key.prefix, source: key.source, routerID: request.routerID, seqno: request.seqno,
        hopCount: Self.hopCount))
    switch request.reason {
    case .forwarded: break
    case .unfeasible(let id): self.request(message, of: id, at: now)
    case .starvation:
      let ways = routeTable[slot].routes
        .filter { $0.routerID == request.routerID && $0.metric.isFinite }
        .sorted(by: Self.isNearer)
      for way in ways.prefix(Self.starvationTargets) { self.request(message, of: way.neighbour, at: now) }
    case .claim:
      guard let claim = routeTable[slot].claim else { return }
      let ways = olderClaims(slot, than: claim).sorted(by: Self.isNearer)
      for way in ways.prefix(Self.starvationTargets) { self.request(message, of: way.neighbour, at: now) }
    }
  }
}
