public import Net
public import Noise

/// What an operator may want to read about: state changes, as values.
///
/// `meshd` words them; nothing is logged below it.
public enum NodeEvent: Sendable {
  /// A session with the peer began; `endpoint` is where its handshake came from or went to.
  case sessionEstablished(PublicKey, endpoint: Endpoint?)
  /// The peer answered none of 20 initiations.
  case handshakeGaveUp(PublicKey)
  /// Packets to the peer go to another endpoint.
  case endpointChanged(PublicKey, Endpoint, because: PathSwitch.Reason)
  /// A handshake message was refused.
  case handshakeRefused(from: Endpoint, reason: String)
  /// The peer became usable, or ceased to be usable, as a Babel neighbour.
  case neighbourChanged(PublicKey, isUp: Bool)
  /// Packets for a prefix go elsewhere.
  case routeSwitched(SwitchRecord)
  /// The peer announces more prefixes than it may; the others are ignored.
  case prefixLimitReached(PublicKey)
  /// The peer's key gives a link-local address that another peer's key gives too; it gets no Babel.
  case addressCollision(PublicKey, PublicKey)
}
