internal import Babel
internal import Net
internal import Noise

// Peers that do not speak Babel, because they are told not to or cannot: the node they talk to announces what they own
// (`decisions.md` 13). Several nodes may know such a peer; the one it turned to last has the newest claim.
extension Node {
  /// How long a peer may be silent on a fresh link before we speak for it.
  static var silenceBeforeRepresentation: Duration { .seconds(4) }
  /// How long a peer that we cannot call is spoken to without an answer: it may be a phone, which wants to sleep.
  static var silenceBeforeRest: Duration { .seconds(15) }
  /// A claim older than this is renewed with the next session, so that its number does not fall behind the clock's.
  static var claimLifetime: Duration { .seconds(3600) }

  /// Announces the prefixes of peers that have a session and stay silent, and of those that are told not to speak.
  mutating func representSilentPeers() {
    guard speaker != nil else { return }
    for case let peer? in peers where !peer.isGone && peer.hasSession(at: now) {
      guard isSilent(peer) else { continue }
      if !peer.client.hasClaim, peer.client.isOurs(lastData: peer.activity.lastDataReceived) {
        represent(peer)
      }
      let rest = peer.client.sessionSince.advanced(by: Self.silenceBeforeRest)
      if now >= rest, peer.configuration.endpoints.isEmpty { closeLink(peer) }
    }
  }

  /// A session with the peer began, by its initiation or by ours.
  mutating func sessionBegan(with peer: Peer, byPeer: Bool) {
    peer.client.sessionSince = now
    if byPeer { peer.client.lastCall = now }
    speaker?.callAgain(NeighbourID(peer.id.rawValue), at: now)
    guard speaker != nil, isSilent(peer) else { return }
    let isOld = now >= peer.client.representedSince.advanced(by: Self.claimLifetime)
    guard peer.client.hasClaim ? isOld : peer.client.isOurs(lastData: .zero) else { return }
    represent(peer)
  }

  /// Whether the peer has had its time to speak under this session, and did not.
  private func isSilent(_ peer: Peer) -> Bool {
    guard peer.speaksBabel else { return true }
    // A meshd that rests has nothing to say.
    guard peer.isLinkUp || peer.adjacency.speaker != .meshd else { return false }
    if let lastSpoken = peer.client.lastSpoken {
      // A neighbour whose link is broken is no client: only one that has called anew and is not heard.
      guard lastSpoken < peer.client.sessionSince,
        speaker?.neighbour(NeighbourID(peer.id.rawValue))?.reach == 0
      else { return false }
    } else if peer.client.isKnown || peer.client.rivalSince != nil {
      return true
    }
    return now >= peer.client.sessionSince.advanced(by: Self.silenceBeforeRepresentation)
  }

  /// Claims what the peer owns, and no longer what it owned before.
  mutating func represent(_ peer: Peer) {
    let old = peer.client.represented
    let new = peer.configuration.allowedIPs.filter { !$0.isDefault }
    peer.client.begin(new, at: now)
    peer.adjacency.speaker = .other
    for prefix in old where !new.contains(prefix) { withdraw(prefix) }
    for prefix in new {
      claim(prefix, for: peer)
      refresh(prefix)
    }
  }

  private mutating func claim(_ prefix: IPPrefix, for peer: Peer) {
    guard let owner = RouterID(peer.derived.claimIdentifier),
      let own = RouterID(peer.derived.interfaceIdentifier)
    else { return }
    let seconds = (epoch + now.nanoseconds) / 1_000_000_000
    speaker?.claim(
      prefix, for: owner, speakingAs: own, notBefore: Seqno(UInt16(truncatingIfNeeded: seconds)), at: now)
  }

  mutating func stopRepresenting(_ peer: Peer) {
    let prefixes = peer.client.represented
    peer.client.represented = []
    for prefix in prefixes { withdraw(prefix) }
  }

  /// The peer speaks for itself.
  mutating func noteSpoken(_ peer: Peer) {
    peer.client.lastSpoken = now
    peer.client.isKnown = false
    peer.client.rivalSince = nil
    if peer.isRepresented { stopRepresenting(peer) }
  }

  /// Another node has the newer claim to a prefix, or its owner speaks itself.
  mutating func loseClaim(to prefix: IPPrefix) {
    for id in owners[prefix] ?? [] {
      guard let peer = peer(id), let index = peer.client.represented.firstIndex(of: prefix) else { continue }
      peer.client.represented.remove(at: index)
      peer.client.lose(at: now)
    }
    refresh(prefix)
  }

  /// Notes who claims the prefix of a peer that we do not represent.
  mutating func noteRival(for prefix: IPPrefix) {
    guard let ids = owners[prefix], case .via(_, _, let origin, _)? = speaker?.route(for: prefix).state else {
      return
    }
    for id in ids {
      guard let peer = peer(id), !peer.isRepresented, peer.derived.claimIdentifier == origin.rawValue else {
        continue
      }
      peer.client.lose(at: now)
    }
  }

  /// Takes back the announcement of a prefix, unless it is ours or that of another peer for which we speak.
  mutating func withdraw(_ prefix: IPPrefix, from source: IPPrefix? = nil) {
    if announcedPrefixes[RouteKey(prefix, source: source)] == nil {
      speaker?.withdraw(prefix, source: source, at: now)
      let others = source == nil ? (owners[prefix] ?? []).compactMap { peer($0) } : []
      if let other = others.first(where: { $0.client.represented.contains(prefix) }) {
        claim(prefix, for: other)
      }
    }
    refresh(prefix, from: source)
  }
}
