public import Net
public import Noise

/// What lanes know of one peer.
///
/// Immutable: a change makes a new entry, unchanged ones go from table to table.
public final class PeerEntry: Sendable {
  /// The peer's name in the protocol.
  public let publicKey: PublicKey
  /// The session before the current one; receives only.
  public let previous: Keypair?
  /// The session that sends.
  public let current: Keypair?
  /// The session that we answered and that the peer has not yet used; receives only.
  public let next: Keypair?
  /// The way to the peer; `nil` while it has no endpoint.
  public let path: Path?
  /// The way the peer's own packets came last: another one is news.
  public let heard: Path?
  /// The largest packet that the path is known to carry in one piece; `nil` while nothing is known.
  public let mtu: Int?
  /// Whether the peer speaks Babel.
  ///
  /// If not, WireGuard's own source check holds for it.
  public let speaksBabel: Bool
  /// What the peer may carry; `nil` is everything.
  ///
  /// Only asked of peers that speak Babel.
  public let accept: AddressSet?
  /// Where lanes note what the peer does.
  public let activity: PeerActivity

  /// Makes an entry.
  public init(
    publicKey: PublicKey, previous: Keypair? = nil, current: Keypair? = nil, next: Keypair? = nil,
    path: Path? = nil, heard: Path? = nil, mtu: Int? = nil, speaksBabel: Bool = false,
    accept: AddressSet? = nil, activity: PeerActivity
  ) {
    self.publicKey = publicKey
    self.previous = previous
    self.current = current
    self.next = next
    self.path = path
    self.heard = heard ?? path
    self.mtu = mtu
    self.speaksBabel = speaksBabel
    self.accept = accept
    self.activity = activity
  }

  /// Every session that may receive.
  internal var keypairs: [Keypair] { [previous, current, next].compactMap { $0 } }

  /// The session with this receiver index.
  internal func keypair(_ index: ReceiverIndex) -> Keypair? {
    if let current, current.localIndex == index { return current }
    if let next, next.localIndex == index { return next }
    if let previous, previous.localIndex == index { return previous }
    return nil
  }
}
