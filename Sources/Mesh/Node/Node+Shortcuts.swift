internal import Net
internal import Noise

// Our own packets to the own addresses of a peer that is no Babel neighbour go to it directly, as long as it says that
// it takes them. Delivered to their owner they cannot loop; others' packets always go by Babel's routes.
extension Node {
  /// How long after a packet a shortcut is still wanted.
  private static var demand: Duration { .seconds(2) }

  /// Looks after the shortcuts, all or the urgent ones; whether some are urgent.
  mutating func reviewShortcuts(all: Bool) -> Bool {
    guard all || !draft.settings.resting.isEmpty else { return false }
    if all { updateResting() }
    var hasUrgent = false
    for id in draft.settings.resting.peers {
      guard let peer = peer(id) else { continue }
      let (sent, received) = (peer.activity.lastDataSent, peer.activity.lastAuthenticatedReceived)
      if all || peer.shortcut.isUrgent(dataSent: sent, received: received) { advanceShortcut(to: peer) }
      hasUrgent = hasUrgent || peer.shortcut.isUrgent(dataSent: sent, received: received)
    }
    return hasUrgent
  }

  /// Finds out anew to whom there may be shortcuts: peers that are no neighbours since we have enough.
  private mutating func updateResting() {
    var resting = PeerSet()
    if areAdjacenciesBounded {
      for case let peer? in peers
      where peer.speaksBabel && !peer.isLinkUp && peer.adjacency.speaker != .other {
        resting.insert(peer.id)
      }
    }
    guard resting != draft.settings.resting else { return }
    draft.settings.resting = resting
    isTableDirty = true
  }

  private mutating func advanceShortcut(to peer: Peer) {
    let isWanted = now < peer.activity.lastShortcutWanted.advanced(by: Self.demand)
    guard peer.hasSession(at: now) else {
      closeShortcut(to: peer)
      guard isWanted, peer.shortcut.quietUntil <= now else { return }
      peer.shortcut.pause(until: now.advanced(by: .seconds(5)))
      peer.adjacency.isDiscovery = peer.adjacency.speaker == .unknown
      connect(peer)
      return
    }
    guard peer.adjacency.speaker == .meshd else { return }
    let step = peer.shortcut.step(
      dataSent: peer.activity.lastDataSent, received: peer.activity.lastAuthenticatedReceived,
      roundTrip: peer.adjacency.roundTrip ?? .milliseconds(50), isWanted: isWanted, at: now)
    switch step {
    case .nothing: return
    case .ask:
      let addresses = Array(draft.settings.ownAddresses.prefix(DirectProbe.capacity))
      guard !addresses.isEmpty, addresses.count == draft.settings.ownAddresses.count else { return }
      peer.shortcut.ask(UInt32(truncatingIfNeeded: random.next()), at: now)
      send(DirectProbe(isAnswer: false, nonce: peer.shortcut.nonce, addresses: addresses), to: peer)
    case .close: closeShortcut(to: peer, failed: true)
    }
  }

  private mutating func send(_ probe: DirectProbe, to peer: Peer) {
    guard let identity, peer.hasSession(at: now) else { return }
    outbox.append(
      .seal(
        BabelDatagram.encapsulate(probe.payload, from: identity.publicKey.linkLocal, to: peer.linkLocal),
        peer.id))
  }

  /// Takes a question, which is answered whatever we think of the peer, or an answer.
  mutating func handle(_ probe: DirectProbe, from peer: Peer) {
    guard probe.isAnswer else {
      let accepted = probe.addresses.filter { isAccepted($0, from: peer) }
      send(DirectProbe(isAnswer: true, nonce: probe.nonce, addresses: accepted), to: peer)
      return
    }
    guard peer.shortcut.state != .closed, probe.nonce == peer.shortcut.nonce, !peer.isLinkUp else { return }
    guard probe.addresses == draft.settings.ownAddresses else {
      closeShortcut(to: peer, failed: true)
      return
    }
    peer.shortcut.open(at: now)
    guard !draft.settings.shortcuts.contains(peer.id) else { return }
    draft.settings.shortcuts.insert(peer.id)
    isTableDirty = true
  }

  /// Whether packets from the address would pass the source check if they came from the peer.
  private func isAccepted(_ address: IPAddress, from peer: Peer) -> Bool {
    if let accept = peer.configuration.accept {
      guard accept.contains(where: { $0.contains(address) }) else { return false }
    }
    let route = draft.allowedIPs.lookup(address)?.route
    switch configuration.interface.sourceCheck {
    case .off: return true
    case .strict: return route?.target == .peer(peer.id)
    case .anchored, .covering:
      return route.map { $0.owners.contains(peer.id) || $0.sources.contains(peer.id) } ?? false
    }
  }

  /// Lets our packets to the peer go by Babel's route from now on.
  mutating func closeShortcut(to peer: Peer, failed: Bool = false) {
    if peer.shortcut.state != .closed { peer.shortcut.close(failed: failed, at: now) }
    guard draft.settings.shortcuts.contains(peer.id) else { return }
    draft.settings.shortcuts.remove(peer.id)
    isTableDirty = true
  }
}
