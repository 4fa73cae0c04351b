public import Net

// Several nodes may speak for one peer that does not speak itself, and the one it talked to last is right. All of them
// announce its prefixes under one router-id that follows from its key, and a newer claim has a newer sequence number.
// Nodes near the holder of an older claim go on using that, so it must be told: the new holder asks for its own number
// with a seqno request, which every Babel router passes on to where its route leads. A router that starves asks for the
// number after one the holder has announced; nobody but a newer claimant asks for more, and then the old claim is over.
extension Speaker {
  /// Announces a prefix of a peer that does not speak itself, as its newest claimant, under its router-id.
  ///
  /// Claiming again makes the claim newer. The sequence number is `floor`, or one after the newest known of this
  /// originator; a clock as `floor` makes it newer than those that are not known here any more. The claim ends with a
  /// newer one of another node, with an announcement of the peer's own under the router-id `speaker`, or with
  /// `withdraw`. Nothing happens where we originate the prefix ourselves.
  public mutating func claim(
    _ prefix: IPPrefix, for owner: RouterID, speakingAs speaker: RouterID, notBefore floor: Seqno,
    at now: Instant
  ) {
    let slot = routeTable.slotOrInsert(RouteKey(prefix))
    guard routeTable[slot].local == nil || routeTable[slot].claim?.routerID == owner else { return }
    var seqno = floor
    if let newest = newestSeqno(of: owner, slot, at: now), !floor.isNewer(than: newest.successor) {
      seqno = overtaking(newest)
    }
    routeTable[slot].claim = Destination.Claim(routerID: owner, speaker: speaker, seqno: seqno, since: now)
    announceClaim(slot, at: now)
    settle(slot)
  }

  private mutating func announceClaim(_ slot: RouteTable.Slot, at now: Instant) {
    routeTable[slot].announced = nil
    beginOrigin(slot, metric: .zero, at: now)
    contest(slot, at: now)
  }

  /// A number after another claim's.
  ///
  /// By two at least: a request for it cannot be taken for one of a starving node. Two nodes that overtake the same
  /// claim are not to end up with the same number.
  private mutating func overtaking(_ seqno: Seqno) -> Seqno {
    Seqno(seqno.rawValue &+ 2 &+ UInt16(truncatingIfNeeded: random.next() % 14))
  }

  private func newestSeqno(of owner: RouterID, _ slot: RouteTable.Slot, at now: Instant) -> Seqno? {
    var newest = sourceTable.distance(routeTable[slot].key, owner, at: now)?.seqno
    let claimed = routeTable[slot].claim.map { [$0.seqno] } ?? []
    let announced = routeTable[slot].routes.filter { $0.routerID == owner }.map(\.seqno)
    for seqno in claimed + announced where newest.map({ seqno.isNewer(than: $0) }) ?? true { newest = seqno }
    return newest
  }

  /// Looks at what a neighbour has announced of a prefix that we claim: ours may be over, or the older one not yet.
  mutating func compareClaim(_ slot: RouteTable.Slot, with route: Route, at now: Instant) {
    guard let claim = routeTable[slot].claim else { return }
    if route.routerID == claim.speaker {
      endClaim(slot, at: now)
    } else if route.routerID == claim.routerID, route.seqno.isNewer(than: claim.seqno) {
      yieldClaim(slot, to: route.seqno, at: now)
    } else {
      contest(slot, at: now)
    }
  }

  /// Whether a seqno request can only come from the holder of a newer claim than ours.
  func isNewerClaim(_ request: SeqnoRequest, _ slot: RouteTable.Slot) -> Bool {
    guard let claim = routeTable[slot].claim else { return false }
    return request.seqno.distance(from: claim.seqno) >= 2
  }

  /// Gives up our claim for one with this newer number; a young claim is defended once.
  ///
  /// We may have made it without knowing of the last one before it, whose number need not be the oldest. Of two that are
  /// both young the one that came last defends itself last.
  mutating func yieldClaim(_ slot: RouteTable.Slot, to rival: Seqno, at now: Instant) {
    guard let claim = routeTable[slot].claim, !claim.isDefended,
      now < claim.since.advanced(by: timing.claimYouth)
    else {
      endClaim(slot, at: now)
      return
    }
    let seqno = overtaking(rival)
    routeTable[slot].claim?.seqno = seqno
    routeTable[slot].claim?.isDefended = true
    announceClaim(slot, at: now)
  }

  private mutating func endClaim(_ slot: RouteTable.Slot, at now: Instant) {
    emit(.claimLost(routeTable[slot].key.prefix))
    endOrigin(slot, at: now)
    askEverybody(for: routeTable[slot].key)
  }

  /// Asks for our own number where an older claim is still announced.
  private mutating func contest(_ slot: RouteTable.Slot, at now: Instant) {
    guard let claim = routeTable[slot].claim, !olderClaims(slot, than: claim).isEmpty,
      routeTable[slot].requests.index(covering: claim.routerID, claim.seqno) == nil
    else { return }
    request(slot, for: claim, at: now)
  }

  /// The routes that lead to the holders of older claims.
  func olderClaims(_ slot: RouteTable.Slot, than claim: Destination.Claim) -> [Route] {
    routeTable[slot].routes.filter {
      $0.routerID == claim.routerID && $0.metric.isFinite && claim.seqno.isNewer(than: $0.seqno)
    }
  }
}
