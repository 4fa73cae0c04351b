/// An initiation whose sender is known, but not yet proved: it awaits the `Tunnel` of that peer.
public struct OpenedInitiation: ~Copyable, Sendable {
  let message: HandshakeInitiation
  let claim: NoiseClaim

  /// The peer that it claims to be from.
  public var peer: PublicKey { claim.initiator }
}

extension HandshakeInitiation {
  /// Opens the sender's static key, at the cost of one scalar multiplication; the gate must have admitted the message.
  public func open(by identity: Identity) throws(HandshakeError) -> OpenedInitiation {
    let prologue = KeyLabels.prologue
    let claim = try NoiseClaim.open(
      noise, prologue: prologue.bytes, privateKey: identity.privateKey, in: identity.arena)
    return OpenedInitiation(message: self, claim: claim)
  }
}
