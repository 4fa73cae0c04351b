/// Why a handshake message changed nothing; the sender never learns it.
public enum HandshakeError: Error, Sendable, CaseIterable {
  /// The length or the type word is not the message's.
  case malformed
  /// A sealed part did not open: forged, for another identity, or made with another preshared key.
  case unauthentic
  /// A public key of low order, whose shared secret is zero.
  case weakPublicKey
  /// The timestamp is not newer than one seen before.
  case replayed
  /// Less than 20 ms since the last initiation of this peer.
  case flooded
  /// No initiation of ours waits for this response or cookie.
  case unexpected
}
