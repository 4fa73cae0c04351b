internal import Net

/// The up to three sessions of a peer (the kernel's `noise_keypairs`).
///
/// We send under `current` alone and take packets under all three. A session that we answered waits in `next`, for
/// receiving only, until a first packet proves that the initiator has it too. `previous` takes what was under way when
/// the keys changed.
public struct KeypairRing: Sendable {
  /// The session before the current one.
  public private(set) var previous: Keypair?
  /// The session that we send under.
  public private(set) var current: Keypair?
  /// The session that we answered and that is not confirmed yet.
  public private(set) var next: Keypair?

  /// All sessions under which packets may arrive.
  public var all: [Keypair] { [current, next, previous].compactMap { $0 } }

  /// Takes the session of our own initiation: it becomes `current` at once.
  mutating func install(initiated keypair: Keypair) {
    // An unconfirmed session is newer than the current one, so that is the one to give up.
    previous = next ?? current
    next = nil
    current = keypair
  }

  /// Takes the session of the peer's initiation: it waits in `next`.
  mutating func install(answered keypair: Keypair) {
    previous = nil
    next = keypair
  }

  /// Notes the first packet under a session that we answered; whether `current` changed by it.
  ///
  /// Usually that session is `next`. It is `previous` if both sides initiated at once and our own session came in on top.
  /// Then both have two good sessions, and each began by sending under its own. The greater public key's session stays:
  /// the side that `yields` goes over to it, so that one session is left and only one side will renew it.
  mutating func confirm(_ index: ReceiverIndex, yields: Bool) -> Bool {
    if let next, next.localIndex == index {
      previous = current
      current = next
      self.next = nil
      return true
    }
    guard yields, let previous, let current, previous.localIndex == index, !previous.isInitiator,
      current.isInitiator, current.createdAt < previous.createdAt.advanced(by: Limits.rekeyTimeout)
    else { return false }
    (self.previous, self.current) = (current, previous)
    return true
  }

  mutating func removeAll() {
    (previous, current, next) = (nil, nil, nil)
  }
}
