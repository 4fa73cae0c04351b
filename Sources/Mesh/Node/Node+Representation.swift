internal import Babel
internal import Net
internal import Noise

// Peers that do not speak Babel, because they are told not to or cannot: their owner announces what they own
// (`decisions.md` 13).
extension Node {
  /// How long a peer may be silent on a fresh link before we speak for it.
  static var silenceBeforeRepresentation: Duration { .seconds(4) }

  /// Announces the prefixes of peers that have a session and stay silent, and of those that are told not to speak.
  mutating func representSilentPeers() {
    guard speaker != nil else { return }
    for case let peer? in peers where peer.represented == nil && !peer.hasSpoken && !peer.isGone {
      let isSilent =
        peer.isLinkUp
        ? now >= peer.linkUpSince.advanced(by: Self.silenceBeforeRepresentation) : !peer.speaksBabel
      guard isSilent, peer.hasSession(at: now) else { continue }
      represent(peer)
    }
  }

  /// Announces what the peer owns, and no longer what it owned before.
  mutating func represent(_ peer: Peer) {
    let old = peer.represented ?? []
    let new = peer.configuration.allowedIPs.filter { !$0.isDefault }
    peer.represented = new
    for prefix in old where !new.contains(prefix) { withdrawRepresented(prefix) }
    for prefix in new where !old.contains(prefix) {
      speaker?.originate(prefix, metric: .zero, at: now)
      refresh(prefix)
    }
  }

  mutating func stopRepresenting(_ peer: Peer) {
    guard let prefixes = peer.represented else { return }
    peer.represented = nil
    for prefix in prefixes { withdrawRepresented(prefix) }
  }

  /// Takes back a prefix that was announced for a peer, unless it is ours too.
  private mutating func withdrawRepresented(_ prefix: IPPrefix) {
    if announcedPrefixes[RouteKey(prefix)] == nil, !isRepresented(prefix) {
      speaker?.withdraw(prefix, at: now)
    }
    refresh(prefix)
  }

  /// Whether we announce the prefix for one of the peers that own it.
  func isRepresented(_ prefix: IPPrefix) -> Bool {
    (owners[prefix] ?? []).contains { peer($0)?.represented?.contains(prefix) == true }
  }
}
