internal import Babel
internal import Net
internal import Noise

// With more peers than `Interface.adjacencies`, Babel is spoken with some of them only. A meshd among the others is
// *resting*: it has no Babel link, and needs no session. Whoever chooses speaks first; whoever is spoken to answers.
extension Node {
  /// How long a chosen peer may take to become a neighbour.
  private static var patience: Duration { .seconds(10) }
  /// How long a peer must be unreachable before it is chosen for that.
  private static var lossPatience: Duration { .seconds(10) }
  /// The same, if it wants us for a neighbour.
  private static var callerPatience: Duration { .seconds(2) }
  /// After a goodbye, what is still on its way is no new greeting.
  private static var farewellPause: Duration { .seconds(2) }
  /// How long an unknown peer is left alone after it was asked who it is.
  private static var discoveryInterval: Duration { .seconds(300) }
  /// Between two looks at what was chosen.
  private static var planInterval: Duration { .seconds(45) }

  /// Whether there are more peers than we want adjacencies.
  var areAdjacenciesBounded: Bool {
    guard let limit = configuration.interface.adjacencies, peers.count > limit else { return false }
    // Asked for with every greeting of a resting peer: it is decided after a few of a thousand.
    var count = 0
    for case let peer? in peers where Self.isBounded(peer) {
      count += 1
      if count > limit { return true }
    }
    return false
  }

  /// The peers that the choice concerns.
  private var boundedPeers: [Peer] {
    peers.compactMap { $0 }.filter { Self.isBounded($0) }
  }

  private static func isBounded(_ peer: Peer) -> Bool {
    peer.speaksBabel && peer.adjacency.speaker != .other
  }

  /// Whether a session with the peer is wanted even without traffic.
  func isWanted(_ peer: Peer) -> Bool {
    peer.speaksBabel && (peer.adjacency.isChosen || peer.adjacency.speaker == .other)
  }

  /// Whether a session is reason enough to open the Babel link.
  ///
  /// Who is not known may be a stock speaker or a phone; who is known to be a meshd will say so if it wants us.
  func opensWithSession(_ peer: Peer) -> Bool {
    peer.adjacency.isChosen || peer.adjacency.speaker != .meshd || !areAdjacenciesBounded
  }

  /// Chooses anew, and opens and closes links accordingly.
  mutating func planAdjacencies() {
    // Not when all others do.
    adjacencyPlan = now.advanced(by: Self.planInterval + .milliseconds(Int64(random.next() % 30_000)))
    guard let identity, speaker != nil else { return }
    let own = DerivedAddresses(of: identity.publicKey).interfaceIdentifier
    let isBounded = areAdjacenciesBounded
    let bounded = boundedPeers
    let candidates = bounded.filter { peer in
      !isBounded || (peer.adjacency.shunnedUntil <= now && canBeReached(peer))
    }.map { peer in
      var pair = SplitMix64(seed: own ^ peer.linkLocal.low)
      let roundTrip = speaker?.neighbour(NeighbourID(peer.id.rawValue))?.roundTrip
      return AdjacencyPlan.Candidate(
        id: peer.id, score: pair.next(), roundTrip: roundTrip ?? peer.adjacency.roundTrip,
        isCurrent: peer.adjacency.isChosen, isNeeded: peer.adjacency.isNeeded,
        isLost: peer.adjacency.isNeeded && !peer.isNeighbourUp)
    }
    let limit = configuration.interface.adjacencies ?? .max
    let chosen = AdjacencyPlan.choose(candidates, limit: limit)
    // One at a time, and the new one before the old one goes: whole networks plan at once.
    var count = bounded.count { $0.adjacency.isChosen }
    for peer in bounded where peer.adjacency.isChosen && count > limit && !chosen.contains(peer.id) {
      count -= 1
      peer.adjacency.isChosen = false
      peer.adjacency.isNeeded = false
      if peer.adjacency.speaker == .meshd { rest(peer) }
    }
    for peer in bounded where !peer.adjacency.isChosen && chosen.contains(peer.id) && count <= limit {
      count += 1
      choose(peer)
    }
  }

  private func canBeReached(_ peer: Peer) -> Bool {
    peer.paths.current != nil || peer.hasSession(at: now)
  }

  private mutating func choose(_ peer: Peer) {
    peer.adjacency.isChosen = true
    peer.adjacency.isDiscovery = false
    peer.adjacency.chosenSince = now
    closeShortcut(to: peer)
    // A neighbour must be reachable before it can be heard: the session does not wait for traffic.
    if peer.hasSession(at: now) { linkUp(peer) } else { connect(peer) }
  }

  /// Says goodbye to a neighbour that is one no longer; its session stays.
  private mutating func rest(_ peer: Peer) {
    guard peer.isLinkUp else { return }
    peer.isLinkUp = false
    // It has time to call before it is looked for again: else those we must do without would take turns.
    peer.adjacency.lostSince = nil
    sayGoodbye(to: peer)
  }

  private mutating func sayGoodbye(to peer: Peer) {
    peer.adjacency.deafUntil = now.advanced(by: Self.farewellPause)
    speaker?.rest(NeighbourID(peer.id.rawValue), at: now)
  }

  /// A routing packet has come from a peer without Babel link: a greeting opens one, unless it is a goodbye.
  ///
  /// Where there is no room the peer is told so. Else it would take us for one that speaks no Babel, and announce us.
  mutating func hearGreeting(_ packet: RawSpan, from peer: Peer, source: IPv6Address) {
    guard now >= peer.adjacency.deafUntil, peer.hasSession(at: now),
      var reader = PacketReader(packet, from: source)
    else { return }
    var isGreeting = false
    while let message = reader.next() {
      guard case .hello(let hello) = message else { continue }
      isGreeting = hello.interval != .zero && !hello.interval.isFarewell
    }
    guard isGreeting else { return }
    if hasRoom(for: peer) {
      peer.adjacency.lostSince = nil
      openLink(to: peer)
    } else {
      speaker?.linkUp(NeighbourID(peer.id.rawValue), at: now)
      sayGoodbye(to: peer)
    }
  }

  /// Whether a peer that has chosen us may be a neighbour: we have no more than twice as many as we want, or nobody else
  /// leads to it.
  private func hasRoom(for peer: Peer) -> Bool {
    guard let limit = configuration.interface.adjacencies else { return true }
    let count = peers.count { $0 !== peer && $0?.isLinkUp == true && $0?.adjacency.speaker == .meshd }
    guard count >= 2 * limit else { return true }
    return peer.adjacency.lostSince.map { now >= $0.advanced(by: Self.callerPatience) } ?? false
  }

  /// Notes who it is that speaks, and lets it rest if that was all we wanted to know.
  mutating func noteSpeaker(_ peer: Peer, at source: IPv6Address) {
    let speaker: Adjacency.Speaker = source == peer.linkLocal ? .meshd : .other
    guard speaker != peer.adjacency.speaker else { return }
    peer.adjacency.speaker = speaker
    guard peer.adjacency.speaker == .meshd, !peer.adjacency.isChosen, areAdjacenciesBounded else { return }
    // Who came to us may have chosen us.
    if peer.adjacency.isDiscovery || !hasRoom(for: peer) { rest(peer) }
    peer.adjacency.isDiscovery = false
  }

  /// Looks after what was chosen: who does not answer makes room, who has gone is let go, who cannot be reached otherwise
  /// is chosen.
  mutating func reviewAdjacencies() {
    guard speaker != nil, areAdjacenciesBounded else { return }
    var isPlanDue = adjacencyPlan <= now
    for peer in boundedPeers {
      if peer.isNeighbourUp {
        peer.adjacency.failures = 0
        peer.adjacency.chosenSince = now
        peer.adjacency.lostSince = nil
      } else if peer.adjacency.isChosen, now >= peer.adjacency.chosenSince.advanced(by: Self.patience) {
        peer.adjacency.fail(at: now)
        rest(peer)
        isPlanDue = true
      } else if !peer.adjacency.isChosen, peer.isLinkUp, peer.adjacency.speaker == .meshd,
        now >= peer.adjacency.openedAt.advanced(by: Self.patience)
      {
        // It chose us and does not any more.
        rest(peer)
      }
    }
    if isPlanDue { planAdjacencies() }
    discoverOne()
    reachLost()
  }

  /// Opens a session with a peer of which nothing is known, to learn what speaks there.
  private mutating func discoverOne() {
    let unknown = boundedPeers.first { peer in
      peer.adjacency.speaker == .unknown && !peer.adjacency.isChosen && !peer.isLinkUp
        && peer.adjacency.discoveryPause <= now && peer.paths.current != nil && !peer.hasSession(at: now)
    }
    guard let unknown else { return }
    unknown.adjacency.isDiscovery = true
    unknown.adjacency.discoveryPause = now.advanced(by: Self.discoveryInterval)
    connect(unknown)
  }

  /// Chooses a peer to which no route leads, which must mean that the network is in pieces, or the peer gone.
  private mutating func reachLost() {
    guard peers.contains(where: { $0?.isNeighbourUp == true }) else { return }
    var lost: Peer?
    for peer in boundedPeers where !peer.adjacency.isChosen && !peer.isLinkUp {
      guard !isRouted(peer) else {
        peer.adjacency.lostSince = nil
        continue
      }
      let since = peer.adjacency.lostSince ?? now
      peer.adjacency.lostSince = since
      guard lost == nil, now >= since.advanced(by: Self.lossPatience), peer.adjacency.shunnedUntil <= now,
        peer.paths.current != nil
      else { continue }
      lost = peer
    }
    guard let lost else { return }
    lost.adjacency.isNeeded = true
    planAdjacencies()
  }

  /// Whether Babel knows a way to the peer's own addresses.
  private func isRouted(_ peer: Peer) -> Bool {
    peer.configuration.ownAddresses.allSatisfy { address in
      if case .via = speaker?.route(for: IPPrefix(host: address)).state { true } else { false }
    }
  }
}
