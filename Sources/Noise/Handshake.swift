// Noise_IKpsk2 in both roles, with any prologue and payloads: what whitepaper §5.4 says without WireGuard's framing.
//
//     <- s
//     ...
//     -> e, es, s, ss
//     <- e, ee, se, psk

/// The first message: the initiator's ephemeral key, its sealed static key and a sealed payload.
struct NoiseInitiation: Sendable {
  var ephemeral: PublicKey
  var sealedStatic: [UInt8]
  var sealedPayload: [UInt8]
}

/// The second message: the responder's ephemeral key and a sealed payload.
struct NoiseResponse: Sendable {
  var ephemeral: PublicKey
  var sealedPayload: [UInt8]
}

/// The initiator between the two messages; wiped when it ends.
struct NoiseInitiator: ~Copyable {
  /// The first message.
  let message: NoiseInitiation
  private let symmetric: SymmetricState
  private let ephemeral: Secret

  private init(message: NoiseInitiation, symmetric: consuming SymmetricState, ephemeral: consuming Secret) {
    self.message = message
    self.symmetric = symmetric
    self.ephemeral = ephemeral
  }

  /// Makes the state and the first message; `staticSecret` is that of both static keys.
  static func start(
    prologue: RawSpan, privateKey: PrivateKey, responder: PublicKey, staticSecret: borrowing Secret,
    payload: RawSpan, in arena: SecretArena, using random: inout some RandomNumberGenerator
  ) throws(HandshakeError) -> NoiseInitiator {
    var symmetric = SymmetricState(prologue: prologue, responder: responder, in: arena)
    let ephemeral = Curve25519.generate(in: arena, using: &random)
    let ephemeralPublic = ephemeral.publicKey
    symmetric.mix(ephemeral: ephemeralPublic)
    let es = try ephemeral.agree(with: responder)
    let staticKey = symmetric.key(mixing: es)
    let sealedStatic = symmetric.seal(privateKey.publicKey.octets.bytes, staticKey)
    let payloadKey = symmetric.key(mixing: staticSecret)
    let sealedPayload = symmetric.seal(payload, payloadKey)
    let message = NoiseInitiation(
      ephemeral: ephemeralPublic, sealedStatic: sealedStatic, sealedPayload: sealedPayload)
    return NoiseInitiator(message: message, symmetric: symmetric, ephemeral: ephemeral)
  }

  /// Takes the second message; the state is untouched, so a forged one leaves the true one its chance.
  borrowing func accept(_ response: NoiseResponse, privateKey: PrivateKey, presharedKey: PresharedKey?)
    throws(HandshakeError) -> NoiseSession
  {
    var symmetric = symmetric.branch()
    symmetric.mix(ephemeral: response.ephemeral)
    symmetric.mix(secret: try ephemeral.agree(with: response.ephemeral))
    symmetric.mix(secret: try privateKey.agree(with: response.ephemeral, in: ephemeral.home))
    let key = symmetric.key(mixing: presharedKey)
    let payload = try symmetric.open(response.sealedPayload.bytes, key)
    return NoiseSession(keys: symmetric.split(), hash: symmetric.hash, payload: payload)
  }
}

/// The responder after the first half of the first message: it knows whom the sender claims to be.
///
/// Here it looks up the peer, and is spared the second multiplication for a key that it does not know.
struct NoiseClaim: ~Copyable, Sendable {
  private let symmetric: SymmetricState
  private let initiation: NoiseInitiation
  /// The static key in the message; that the sender owns it is proved by `authenticate` only.
  let initiator: PublicKey

  private init(symmetric: consuming SymmetricState, initiation: NoiseInitiation, initiator: PublicKey) {
    self.symmetric = symmetric
    self.initiation = initiation
    self.initiator = initiator
  }

  /// Opens the static key.
  static func open(
    _ initiation: NoiseInitiation, prologue: RawSpan, privateKey: PrivateKey, in arena: SecretArena
  ) throws(HandshakeError) -> NoiseClaim {
    var symmetric = SymmetricState(prologue: prologue, responder: privateKey.publicKey, in: arena)
    symmetric.mix(ephemeral: initiation.ephemeral)
    let es = try privateKey.agree(with: initiation.ephemeral, in: arena)
    let key = symmetric.key(mixing: es)
    let opened = try symmetric.open(initiation.sealedStatic.bytes, key)
    return NoiseClaim(symmetric: symmetric, initiation: initiation, initiator: PublicKey(opened.bytes))
  }

  /// Opens the payload; `staticSecret` is that of our static key and `initiator`.
  borrowing func authenticate(staticSecret: borrowing Secret) throws(HandshakeError) -> NoiseResponder {
    var symmetric = symmetric.branch()
    let key = symmetric.key(mixing: staticSecret)
    let payload = try symmetric.open(initiation.sealedPayload.bytes, key)
    return NoiseResponder(
      symmetric: symmetric, initiatorEphemeral: initiation.ephemeral, initiator: initiator, payload: payload)
  }
}

/// The responder between the two messages; wiped when it ends.
struct NoiseResponder: ~Copyable {
  private let symmetric: SymmetricState
  private let initiatorEphemeral: PublicKey
  /// The initiator's static key, proved.
  let initiator: PublicKey
  /// What the first message carried.
  let payload: [UInt8]

  fileprivate init(
    symmetric: consuming SymmetricState, initiatorEphemeral: PublicKey, initiator: PublicKey, payload: [UInt8]
  ) {
    self.symmetric = symmetric
    self.initiatorEphemeral = initiatorEphemeral
    self.initiator = initiator
    self.payload = payload
  }

  /// Makes the second message and the session; the state is untouched.
  borrowing func respond(
    payload: RawSpan, presharedKey: PresharedKey?, in arena: SecretArena,
    using random: inout some RandomNumberGenerator
  ) throws(HandshakeError) -> NoiseAnswer {
    var symmetric = symmetric.branch()
    let ephemeral = Curve25519.generate(in: arena, using: &random)
    let ephemeralPublic = ephemeral.publicKey
    symmetric.mix(ephemeral: ephemeralPublic)
    symmetric.mix(secret: try ephemeral.agree(with: initiatorEphemeral))
    symmetric.mix(secret: try ephemeral.agree(with: initiator))
    let key = symmetric.key(mixing: presharedKey)
    let sealedPayload = symmetric.seal(payload, key)
    return NoiseAnswer(
      message: NoiseResponse(ephemeral: ephemeralPublic, sealedPayload: sealedPayload),
      keys: symmetric.split(), hash: symmetric.hash)
  }
}

/// The end of a handshake for the responder.
struct NoiseAnswer: ~Copyable {
  /// The second message.
  let message: NoiseResponse
  let keys: TransportKeys
  /// The handshake hash, equal on both sides.
  let hash: Hash
}

/// The end of a handshake for the initiator.
struct NoiseSession: ~Copyable {
  let keys: TransportKeys
  /// The handshake hash, equal on both sides.
  let hash: Hash
  /// What the second message carried.
  let payload: [UInt8]
}
