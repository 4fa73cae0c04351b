public import Net
internal import OrderedCollections

// Hellos alone take seconds to tell that a neighbour is dead. Silence where something should be heard takes a fraction of
// one, and an Ack Request settles whether it means anything (`babel.md` §8).
extension Speaker {
  /// How soon a probe asks to be acknowledged: babeld takes about half as long, BIRD and meshd answer at once.
  static let probeInterval = Interval(centiseconds: 5)
  /// So many intervals later an IHU can only speak of Hellos sent meanwhile: three of the rarest.
  static let intervalsUntilBelieved = 12

  /// Takes what the data path has seen of the link to a neighbour.
  ///
  /// The more often it is told while there is traffic, the sooner a dead neighbour is noticed; every 20 ms is enough.
  public mutating func observe(_ activity: LinkActivity, of id: NeighbourID, at now: Instant) {
    guard let neighbour = neighbourTable[id], neighbour.isUp, !isShutDown else { return }
    neighbourTable[id]?.lastHeard = max(neighbour.lastHeard, activity.lastHeard)
    let lastTraffic = max(activity.lastSent, activity.lastReceived)
    if lastTraffic > neighbour.lastTraffic {
      neighbourTable[id]?.lastTraffic = lastTraffic
      hastenHello(to: id, at: now)
    }
    let patience = neighbour.liveness.patience(at: now)
    let isUnanswered = activity.unansweredSince.map { $0.advanced(by: patience) <= now } ?? false
    // Whoever only receives would not notice that the way back is dead as well, so traffic that breaks off is a reason,
    // too; once, since it may just have ended.
    let hasBrokenOff =
      activity.lastReceived > neighbour.liveness.lastAnswer
      && activity.lastHeard.advanced(by: patience) <= now
    if isUnanswered || hasBrokenOff { doubt(id, at: now) }
  }

  /// Something happened that may have cut a usable link: asks the neighbour at once.
  public mutating func doubt(_ id: NeighbourID, at now: Instant) {
    guard let neighbour = neighbourTable[id], neighbour.cost.isFinite, !isShutDown else { return }
    neighbourTable[id]?.liveness.doubt(isLossy: neighbour.multicastHellos.showsLoss, at: now)
    if neighbour.liveness.state == .trusted, neighbourTable[id]?.liveness.state == .doubted {
      emit(.neighbourDoubted(id))
    }
    question(id, at: now)
    schedule(id)
  }

  /// Packets to a neighbour cannot even leave: its link is unusable until it answers.
  public mutating func linkFailed(_ id: NeighbourID, at now: Instant) {
    guard let neighbour = neighbourTable[id], neighbour.cost.isFinite, !isShutDown else { return }
    giveUp(id, at: now)
    refreshCost(id, at: now)
    schedule(id)
  }

  /// Packets to a neighbour take another way from now on, on which an answer takes `roundTrip` if that is known.
  ///
  /// What was measured along the former one is of no use any more.
  public mutating func rerouted(_ id: NeighbourID, roundTrip: Duration?, at now: Instant) {
    guard neighbourTable[id] != nil, let roundTrip else { return }
    neighbourTable[id]?.roundTrip.restart(with: roundTrip, at: now)
    refreshCost(id, at: now)
  }

  /// Does what is due about whether a neighbour is there.
  mutating func lookAfter(_ id: NeighbourID, at now: Instant) {
    neighbourTable[id]?.damping.expire(at: now)
    if let neighbour = neighbourTable[id], neighbour.isMeshd {
      // Whatever a meshd sends comes from the process that sends its Hellos.
      neighbourTable[id]?.multicastHellos.vouch(at: neighbour.lastHeard)
    }
    if neighbourTable[id]?.multicastHellos.becameLate(at: now) == true { doubt(id, at: now) }
    question(id, at: now)
  }

  private mutating func question(_ id: NeighbourID, at now: Instant) {
    switch neighbourTable[id]?.liveness.proceed(at: now) {
    case .probe: send([beginProbe(id, at: now)], to: id, isUnicast: true)
    case .lost:
      giveUp(id, at: now)
      refreshCost(id, at: now)
    case nil: break
    }
  }

  private mutating func giveUp(_ id: NeighbourID, at now: Instant) {
    neighbourTable[id]?.liveness.lose(at: now)
    if neighbourTable[id]?.isMeshd == true {
      // What it said before is no longer true, if it lost us as well; it says so anew as soon as it hears us again. Others
      // take their time for that.
      neighbourTable[id]?.txcost = .infinity
      neighbourTable[id]?.ihuExpiry = .distantFuture
    }
    // It may hear us all the same, and is to know that we do not count on it.
    neighbourTable[id]?.helloDeadline = now
  }

  private mutating func beginProbe(_ id: NeighbourID, at now: Instant) -> TLV {
    let opaque = neighbourTable[id]?.opaque ?? 0
    neighbourTable[id]?.opaque = opaque &+ 1
    neighbourTable[id]?.liveness.sent(opaque, at: now)
    return .acknowledgmentRequest(opaque: opaque, interval: Self.probeInterval)
  }

  /// The request that goes with a Hello, if an answer is wanted.
  mutating func probeBesideHello(_ id: NeighbourID, at now: Instant) -> TLV? {
    guard let neighbour = neighbourTable[id], neighbour.isHeard,
      neighbour.liveness.wantsAnswer(to: neighbour.helloSeqno)
    else { return nil }
    return beginProbe(id, at: now)
  }

  /// The neighbour has acknowledged something, and so packets arrive both ways.
  mutating func noteAnswer(_ opaque: UInt16, of id: NeighbourID, at now: Instant) {
    let wasLost = neighbourTable[id]?.liveness.state == .lost
    neighbourTable[id]?.liveness.acknowledge(opaque, at: now)
    neighbourTable[id]?.multicastHellos.vouch(at: now)
    if wasLost { beginBurst(to: id, at: now) }
  }

  /// A neighbour that was lost says that it hears us: believed if it can only have heard us since.
  mutating func believe(_ id: NeighbourID, at now: Instant) {
    guard let liveness = neighbourTable[id]?.liveness, liveness.state == .lost else { return }
    let wait = timing.hello * Self.intervalsUntilBelieved
    guard liveness.lostSince.advanced(by: wait) <= now else { return }
    neighbourTable[id]?.liveness.trust(at: now)
  }

  /// A link became usable or unusable.
  mutating func turn(_ id: NeighbourID, at now: Instant) {
    neighbourTable[id]?.turnedAt = now
    guard let neighbour = neighbourTable[id] else { return }
    guard !neighbour.cost.isFinite else {
      neighbourTable[id]?.owesIHU = true
      neighbourTable[id]?.dismissals = 0
      return
    }
    if neighbour.isUp, !neighbour.rxcost.isFinite, !neighbour.multicastHellos.isFarewell {
      // What the neighbour finds is its own affair, and counted there; an end that it announced is no failure.
      neighbourTable[id]?.damping.fail(at: now)
    }
    callAllAgain(at: now)
  }

  /// A meshd says to our call that it can do without us: it has enough neighbours, and others lead to us.
  ///
  /// We call again, since that may change, but ever more seldom: every call costs both sides an answer. Without another
  /// neighbour we need this one, whatever it thinks.
  mutating func noteDismissal(by id: NeighbourID, at now: Instant) {
    guard let neighbour = neighbourTable[id], neighbour.isMeshd, !neighbour.cost.isFinite,
      neighbourTable.keys.contains(where: { cost($0).isFinite })
    else { return }
    let count = neighbour.dismissals + 1
    let next = now.advanced(by: jittered(timing.call(after: count)))
    neighbourTable[id]?.dismissals = count
    neighbourTable[id]?.burst = 0
    neighbourTable[id]?.helloDeadline = next
    schedule(id)
  }

  /// Calls a neighbour at once if it has said that it can do without us: who answers now may be another.
  public mutating func callAgain(_ id: NeighbourID, at now: Instant) {
    guard neighbourTable[id]?.dismissals ?? 0 > 0 else { return }
    neighbourTable[id]?.dismissals = 0
    beginBurst(to: id, at: now)
    schedule(id)
  }

  /// Calls all those at once: what led to us may be gone.
  private mutating func callAllAgain(at now: Instant) {
    for id in neighbourTable.keys { callAgain(id, at: now) }
  }

  /// How soon the next Hello follows.
  func helloInterval(to neighbour: Neighbour, at now: Instant) -> Duration {
    guard neighbour.isMeshd else { return timing.frequentHello }
    guard neighbour.cost.isFinite, neighbour.liveness.state == .trusted else {
      guard neighbour.dismissals == 0 else { return timing.call(after: neighbour.dismissals) }
      let isFresh = now < neighbour.turnedAt.advanced(by: timing.idle)
      return isFresh ? timing.frequentHello : timing.hello
    }
    let quiet = max(neighbour.lastTraffic, neighbour.turnedAt).duration(to: now)
    if quiet < timing.idle { return timing.hello }
    return timing.hello * (quiet < timing.idle * 10 ? 2 : 4)
  }

  /// Makes Hellos as frequent as they should be with traffic.
  private mutating func hastenHello(to id: NeighbourID, at now: Instant) {
    guard let neighbour = neighbourTable[id] else { return }
    let time = now.advanced(by: timing.hello)
    guard time < neighbour.helloDeadline, neighbour.helloDeadline != .distantFuture else { return }
    neighbourTable[id]?.helloDeadline = time
    schedule(id)
  }
}
