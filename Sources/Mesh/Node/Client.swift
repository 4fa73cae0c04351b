internal import Net

/// A peer as one that speaks no Babel, be it a phone or a router that has not spoken yet.
struct Client {
  /// The prefixes of its that we announce.
  var represented: [IPPrefix] = []
  /// When we began to.
  var representedSince = Instant.zero
  /// When the session in use began; a peer that stays silent from then on is taken for a client.
  var sessionSince = Instant.zero
  /// When the peer began a session itself, last.
  var lastCall = Instant.zero
  /// When its last Babel packet came; `nil` if none has since the link is up.
  var lastSpoken: Instant?
  /// Whether it was taken for a client before: the next time there is no need to wait.
  var isKnown = false
  /// Since when another node has the newer claim.
  var rivalSince: Instant?
  /// How many claims in a row were lost soon after they were made.
  var quickLosses = 0

  /// A claim that lasted longer than this, and than any patience, was not one of a peer with two gateways.
  private static var steadiness: Duration { .seconds(120) }
  /// A peer may come and go as often as this before it is taken for one with two gateways.
  private static var tolerance: Int { 4 }

  /// How long the peer must go on sending data to us before it counts as having come back.
  ///
  /// What was under way when it left is no return; and one that uses two gateways at once must not make the whole mesh
  /// follow every packet.
  private var patience: Duration { .seconds(1 << min(max(quickLosses - Self.tolerance, 0), 6)) }

  /// Whether we hold the claim to all of its prefixes, as far as we know.
  var hasClaim: Bool { !represented.isEmpty && rivalSince == nil }

  /// Notes that we announce these prefixes for it from now on.
  mutating func begin(_ prefixes: [IPPrefix], at now: Instant) {
    represented = prefixes
    representedSince = now
    isKnown = true
    rivalSince = nil
  }

  /// Notes that another node has the newer claim.
  mutating func lose(at now: Instant) {
    guard rivalSince == nil else { return }
    rivalSince = now
    quickLosses = now < representedSince.advanced(by: Self.steadiness) ? quickLosses + 1 : 0
  }

  /// Whether the peer has turned to us since another node claimed it; `data` is when its last packet with data came.
  func isOurs(lastData data: Instant) -> Bool {
    guard let rivalSince else { return true }
    return lastCall > rivalSince || data > rivalSince.advanced(by: patience)
  }
}
