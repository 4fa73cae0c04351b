internal import Net
internal import Noise

// Between meshd nodes every path is measured inside the tunnel, all the time: `PathProbe`. Which of them is used follows
// from that and from nothing else; the other end does the same for its direction.
extension Node {
  /// By how much another path must be better: more than this, and more than a fifth.
  private static var advantage: Duration { .milliseconds(10) }
  /// For how long.
  private static var advantageTime: Duration { .seconds(3) }

  /// Whether the peer answers probes.
  func isProbed(_ peer: Peer) -> Bool {
    peer.adjacency.speaker == .meshd && peer.speaksBabel && isLinkUp && peer.hasSession(at: now)
  }

  /// Looks after the paths whose time has come.
  mutating func advancePaths() {
    pathDeadline = .distantFuture
    for case let peer? in peers {
      if peer.pathDeadline <= now { advancePaths(of: peer) }
      pathDeadline = min(pathDeadline, peer.pathDeadline)
    }
  }

  /// Goes on with the race, and asks and judges the peer's paths.
  mutating func advancePaths(of peer: Peer) {
    if let due = peer.race?.fanOut, due <= now { fanOut(to: peer) }
    peer.pathDeadline = .distantFuture
    peer.pathReview = .distantFuture
    if let due = peer.race?.fanOut { notePathDeadline(due, of: peer) }
    guard isProbed(peer) else {
      peer.suspicion = nil
      return
    }
    takeLate(of: peer)
    judge(peer)
    let next = askAlongPaths(to: peer)
    let isMeasuring = peer.paths.candidates.contains { $0.quality.isFresh }
    if peer.suspicion != nil || isMeasuring || quietTime(of: peer) < ProbeInterval.moment {
      notePathDeadline(next, of: peer)
    } else {
      peer.pathReview = min(next, now.advanced(by: ProbeInterval.quiet))
    }
  }

  /// Looks after a peer's paths if it is time for that, or packets have begun to flow.
  ///
  /// What is in no hurry waits for this: a thousand idle peers shall not wake the node a thousand times.
  mutating func reviewPaths(of peer: Peer) {
    let isDue = min(peer.pathReview, peer.pathDeadline) <= now
    let isNew = peer.pathReview == .distantFuture && peer.pathDeadline == .distantFuture && isProbed(peer)
    guard isDue || isNew || (quietTime(of: peer) < ProbeInterval.moment && peer.paths.candidates.count > 1)
    else { return }
    advancePaths(of: peer)
  }

  /// How long ago packets of hosts went to the peer or came from it.
  private func quietTime(of peer: Peer) -> Duration {
    max(peer.activity.lastTrafficSent, peer.activity.lastTrafficReceived).duration(to: now)
  }

  mutating func notePathDeadline(_ instant: Instant, of peer: Peer) {
    peer.pathDeadline = min(peer.pathDeadline, instant)
    pathDeadline = min(pathDeadline, instant)
  }

  // MARK: Asking

  /// Asks along every path that is due; returns when there is more to do.
  private mutating func askAlongPaths(to peer: Peer) -> Instant {
    var next = Instant.distantFuture
    for place in peer.paths.candidates.indices {
      if let interval = interval(of: place, of: peer) {
        var due = peer.paths.candidates[place].probing.lastAsked.advanced(by: interval)
        if due <= now {
          ask(along: place, to: peer)
          due = now.advanced(by: interval)
        }
        next = min(next, due)
      }
      let candidate = peer.paths.candidates[place]
      let lateness = candidate.probing.lateness(timeout: candidate.quality.timeout)
      next = min(next, lateness, searchMTU(along: place, to: peer))
    }
    return next
  }

  /// How often to ask along the path; `nil` is not at all.
  ///
  /// The only path is watched by Babel. A peer that rests without traffic is let rest.
  private func interval(of place: Int, of peer: Peer) -> Duration? {
    let candidate = peer.paths.candidates[place]
    guard peer.paths.candidates.count > 1, candidate.isUsable(at: now) else { return nil }
    if peer.suspicion != nil { return Suspicion.interval(timeout: candidate.quality.timeout) }
    let quiet = quietTime(of: peer)
    guard peer.isLinkUp || quiet < ProbeInterval.idleTime else { return nil }
    let interval = ProbeInterval.between(
      candidate.quality, isInUse: place == peer.paths.index, quietTime: quiet)
    // Not all at the same moment.
    return interval + interval * Int(candidate.id % 8) / 64
  }

  private mutating func ask(along place: Int, to peer: Peer) {
    let nonce = UInt32(truncatingIfNeeded: random.next())
    peer.paths.candidates[place].probing.ask(nonce, at: now)
    send(PathProbe(isAnswer: false, nonce: nonce), to: peer, along: peer.paths.path(at: place))
  }

  private mutating func send(
    _ probe: PathProbe, to peer: Peer, along path: Path, mayFragment: Bool = true
  ) {
    guard let identity else { return }
    let packet = BabelDatagram.encapsulate(
      probe.payload, from: identity.publicKey.linkLocal, to: peer.linkLocal)
    outbox.append(.probe(packet, peer.id, path, mayFragment: mayFragment))
  }

  /// Asks along a path for how large a packet may be; returns when there is more to do.
  private mutating func searchMTU(along place: Int, to peer: Peer) -> Instant {
    guard peer.paths.candidates[place].isUsable(at: now) else { return .distantFuture }
    if peer.paths.candidates[place].mtu == nil {
      peer.paths.candidates[place].mtu = newSearch(along: place, of: peer)
    }
    let quality = peer.paths.candidates[place].quality
    guard place == peer.paths.index || quality.unanswered == 0 else { return .distantFuture }
    let carriesTraffic =
      place == peer.paths.index && peer.activity.lastTrafficSent.duration(to: now) < ProbeInterval.idleTime
    peer.paths.candidates[place].mtu?.carriesTraffic = carriesTraffic
    let confirmed = peer.paths.candidates[place].mtu?.confirmed
    while let size = peer.paths.candidates[place].mtu?.probe(
      at: now, roundTrip: quality.roundTrip ?? .milliseconds(100))
    {
      let nonce = UInt32(truncatingIfNeeded: random.next())
      peer.paths.candidates[place].probing.ask(nonce, size: size, at: now)
      send(
        PathProbe(isAnswer: false, nonce: nonce, packetSize: size), to: peer,
        along: peer.paths.path(at: place), mayFragment: false)
    }
    if peer.paths.candidates[place].mtu?.confirmed != confirmed, place == peer.paths.index {
      refreshEntry(of: peer)
    }
    return peer.paths.candidates[place].mtu?.nextDeadline ?? .distantFuture
  }

  private func newSearch(along place: Int, of peer: Peer) -> PathMTU? {
    let remote = peer.paths.candidates[place].remote
    let largest = maximumMTU > 0 ? maximumMTU - PathMTU.overhead(over: remote.address.family) : mtu
    return PathMTU(ceiling: min(mtu, largest), over: remote.address.family)
  }

  // MARK: Answers

  /// Takes a question, which is answered by the way it came, or an answer.
  mutating func handle(_ probe: PathProbe, from peer: Peer, along path: Path, arrival: Instant) {
    guard probe.isAnswer else {
      _ = peer.paths.observe(path, at: now)
      send(
        PathProbe(isAnswer: true, nonce: probe.nonce, packetSize: probe.packetSize), to: peer,
        along: uplinks.naming(path))
      return
    }
    for place in peer.paths.candidates.indices {
      guard peer.paths.candidates[place].remote == path.remote,
        let answer = peer.paths.candidates[place].probing.take(probe.nonce, at: arrival)
      else { continue }
      peer.paths.candidates[place].lastHeard = now
      if let size = answer.size {
        let confirmed = peer.paths.candidates[place].mtu?.confirmed
        peer.paths.candidates[place].mtu?.acknowledged(size, at: now)
        if place == peer.paths.index, confirmed != peer.paths.candidates[place].mtu?.confirmed {
          refreshEntry(of: peer)
        }
      } else {
        if peer.paths.candidates[place].quality.isSilent {
          peer.paths.candidates[place].mtu?.suspect()
          peer.paths.candidates[place].probing.excuseLate()
        }
        peer.paths.candidates[place].quality.answered(after: answer.roundTrip)
        if place == peer.paths.index, !answer.isLate { peer.fruitlessSuspicions = 0 }
      }
      break
    }
    advancePaths(of: peer)
  }

  /// Counts the questions that were not answered in time.
  private mutating func takeLate(of peer: Peer) {
    var isInUseLate = false
    for place in peer.paths.candidates.indices {
      let timeout = peer.paths.candidates[place].quality.timeout
      let late = peer.paths.candidates[place].probing.takeLate(timeout: timeout, at: now)
      for _ in 0..<late { peer.paths.candidates[place].quality.lost() }
      if late > 0, place == peer.paths.index { isInUseLate = true }
    }
    if isInUseLate, mayBeSuspectedAgain(peer) { suspect(peer, because: .silence) }
  }

  // MARK: Judging

  /// Has the path in use show that it lives, and asks along all others whether they would do.
  mutating func suspect(_ peer: Peer, because reason: PathSwitch.Reason) {
    guard isProbed(peer), peer.paths.candidates.count > 1, peer.suspicion == nil else { return }
    peer.suspicion = Suspicion(since: now, reason: reason)
    for place in peer.paths.candidates.indices { peer.paths.candidates[place].probing.askSoon() }
    notePathDeadline(now, of: peer)
  }

  /// Whether it is long enough ago that silence made us suspicious.
  private func mayBeSuspectedAgain(_ peer: Peer) -> Bool {
    now >= peer.suspicionEnd.advanced(by: Suspicion.pause(afterFruitless: peer.fruitlessSuspicions))
  }

  /// Looks for traffic that finds no answer, and for traffic that broke off.
  mutating func watchPaths(of peer: Peer) {
    let activity = peer.activity
    let lastTraffic = activity.lastTrafficReceived
    let unansweredSince = activity.unansweredSince
    // First what few of a thousand peers pass.
    let hasTraffic = lastTraffic > peer.suspectedTraffic && lastTraffic.advanced(by: .seconds(5)) > now
    guard unansweredSince != nil || hasTraffic, peer.paths.candidates.count > 1, peer.suspicion == nil,
      isProbed(peer), mayBeSuspectedAgain(peer), let index = peer.paths.index
    else { return }
    let patience = min(
      max(peer.paths.candidates[index].quality.timeout, Suspicion.leastPatience), Suspicion.mostPatience)
    let isUnanswered = unansweredSince.map { $0.advanced(by: patience) <= now } ?? false
    let hasBrokenOff =
      hasTraffic && activity.lastAuthenticatedReceived.advanced(by: patience) <= now
    guard isUnanswered || hasBrokenOff else { return }
    peer.suspectedTraffic = lastTraffic
    suspect(peer, because: .silence)
  }

  /// Decides which path is used.
  private mutating func judge(_ peer: Peer) {
    guard let index = peer.paths.index, peer.paths.candidates.count > 1 else { return }
    if let suspicion = peer.suspicion {
      settle(suspicion, about: index, of: peer)
      // What was found out meanwhile may also show a better path.
      guard peer.suspicion == nil, peer.paths.index == index else { return }
    }
    let inUse = peer.paths.candidates[index]
    if inUse.quality.isSilent || !inUse.isUsable(at: now) {
      guard let place = peer.paths.alternative(at: now), peer.paths.candidates[place].isAlive(at: now) else {
        return
      }
      use(place, of: peer, because: .silence)
    } else if let pinned = peer.paths.pinned {
      guard inUse.remote != pinned,
        let place = peer.paths.candidates.firstIndex(where: { $0.remote == pinned && $0.isAlive(at: now) })
      else { return }
      use(place, of: peer, because: .command)
    } else {
      preferBetter(than: inUse, of: peer)
    }
  }

  private mutating func settle(_ suspicion: Suspicion, about index: Int, of peer: Peer) {
    let inUse = peer.paths.candidates[index]
    let isCleared = inUse.isUsable(at: now) && inUse.probing.lastAnswered >= suspicion.since
    if isCleared || now >= suspicion.since.advanced(by: Suspicion.duration) {
      peer.suspicion = nil
      peer.suspicionEnd = now
      peer.fruitlessSuspicions = isCleared ? 0 : peer.fruitlessSuspicions + 1
      return
    }
    let decision = suspicion.since.advanced(by: inUse.quality.timeout)
    guard now >= decision || !inUse.isUsable(at: now) else {
      notePathDeadline(decision, of: peer)
      return
    }
    let answering = peer.paths.candidates.indices.filter {
      $0 != index && peer.paths.candidates[$0].probing.lastAnswered >= suspicion.since
        && peer.paths.candidates[$0].isUsable(at: now)
    }
    guard let place = peer.paths.best(of: answering) else { return }
    use(place, of: peer, because: suspicion.reason == .roamed ? .silence : suspicion.reason)
  }

  /// Turns to a path that has been better than the one in use for a while.
  private mutating func preferBetter(than inUse: CandidatePath, of peer: Peer) {
    guard let cost = inUse.quality.cost else { return }
    let bound = cost - max(Self.advantage, cost / 5)
    for place in peer.paths.candidates.indices where place != peer.paths.index {
      let candidate = peer.paths.candidates[place]
      guard candidate.isAlive(at: now), candidate.quality.count >= ProbeInterval.openingCount,
        let other = candidate.quality.cost, other < bound
      else {
        peer.paths.candidates[place].betterSince = nil
        continue
      }
      let since = candidate.betterSince ?? now
      peer.paths.candidates[place].betterSince = since
      notePathDeadline(since.advanced(by: Self.advantageTime), of: peer)
    }
    let better = peer.paths.candidates.indices.filter { place in
      peer.paths.candidates[place].betterSince.map { now >= $0.advanced(by: Self.advantageTime) } ?? false
    }
    guard let place = peer.paths.best(of: better) else { return }
    use(place, of: peer, because: .better)
  }
}
