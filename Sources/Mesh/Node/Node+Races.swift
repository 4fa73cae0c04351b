internal import Net
internal import Noise

// Handshakes on several paths at once: `HandshakeRace`.
extension Node {
  /// The part of an epoch in which a race crosses no renewal of the peer's, which is due at its end.
  private static var raceWindow: (start: Duration, width: Int64) { (.seconds(40), 40_000) }

  /// Sends an initiation along the path in use, and a moment later along the others.
  mutating func race(_ message: [UInt8], to peer: Peer) {
    peer.race = HandshakeRace()
    peer.adjacency.initiationSent = now
    guard let index = peer.paths.pinnedPlace ?? peer.paths.index else { return }
    guard peer.paths.candidates[index].isUsable(at: now) else {
      fanOut(to: peer)
      return
    }
    send(message, to: peer, along: index)
    guard peer.paths.candidates.count > 1 else { return }
    // A pinned path may be slower, as long as it works.
    guard peer.paths.pinned == nil || peer.unansweredHandshakes > 0 else { return }
    let fanOut = now.advanced(by: HandshakeRace.advantage)
    peer.race?.fanOut = fanOut
    notePathDeadline(fanOut, of: peer)
  }

  /// Sends the initiation under way along every path that has not had it.
  ///
  /// Paths that the kernel refuses are left out, unless there are no others.
  mutating func fanOut(to peer: Peer) {
    peer.race?.fanOut = nil
    guard let message = peer.tunnel.outstandingInitiation, let race = peer.race else { return }
    peer.lastRace = now
    let places = peer.paths.candidates.indices.filter { !race.tried.contains(peer.paths.candidates[$0].id) }
    let usable = places.filter { peer.paths.candidates[$0].isUsable(at: now) }
    for place in usable.isEmpty && race.tried.isEmpty ? places : usable {
      send(message, to: peer, along: place)
    }
  }

  private mutating func send(_ message: [UInt8], to peer: Peer, along place: Int) {
    peer.race?.tried.append(peer.paths.candidates[place].id)
    peer.paths.candidates[place].initiationSent = now
    peer.activity.noteHandshakeSent(byteCount: message.count)
    outbox.append(.datagram(message, peer.paths.path(at: place), to: peer.id))
  }

  /// A valid response has come: its way has won.
  mutating func finishRace(with peer: Peer, along path: Path) {
    let place = peer.paths.observe(path, at: now).place
    if let sent = peer.paths.candidates[place].initiationSent {
      peer.paths.candidates[place].quality.estimated(sent.duration(to: now))
    }
    for other in peer.paths.candidates.indices { peer.paths.candidates[other].initiationSent = nil }
    peer.race = nil
    peer.heard = path
    if place != peer.paths.index { use(place, of: peer, because: .race) } else { refreshEntry(of: peer) }
  }

  /// Nobody has answered an initiation within REKEY_TIMEOUT.
  mutating func loseRace(with peer: Peer) {
    for place in peer.paths.candidates.indices where peer.paths.candidates[place].initiationSent != nil {
      peer.paths.candidates[place].initiationSent = nil
      peer.paths.candidates[place].quality.lost()
    }
    peer.race = nil
  }

  /// Tries the other paths of a peer that answers nothing but handshakes and begins all of them itself (S5.8).
  mutating func raceIfDue(with peer: Peer) {
    guard peer.paths.candidates.count > 1, !isProbed(peer), let current = peer.tunnel.keypairs.current,
      !current.isInitiator, current.isAlive(at: now),
      now < peer.activity.lastDataSent.advanced(by: .seconds(60))
    else { return }
    let (start, width) = Self.raceWindow
    let place = Int64(peer.derived.interfaceIdentifier % UInt64(width))
    guard now >= current.createdAt.advanced(by: start + .milliseconds(place)),
      now >= peer.lastRace.advanced(by: start)
    else { return }
    peer.tunnel.initiate(renewingAttempts: false, at: now, in: &device, using: &random)
    drain(peer)
  }
}
