internal import Net

/// The running hash and chaining key of a Noise handshake (Noise §5.2), in BLAKE2s and ChaCha20-Poly1305.
struct SymmetricState: ~Copyable, Sendable {
  /// The hash over everything both sides have seen.
  private(set) var hash: Hash
  private var chainingKey: Secret

  /// Starts with the protocol's name, the prologue and the responder's public key, which the initiator knows.
  init(prologue: RawSpan, responder: PublicKey, in arena: SecretArena) {
    let name = Array("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s".utf8)
    let construction = BLAKE2s.hash(name.bytes)
    chainingKey = Secret(construction.bytes, in: arena)
    hash = BLAKE2s.hash(construction.bytes, prologue)
    hash = BLAKE2s.hash(hash.bytes, responder.octets.bytes)
  }

  private init(hash: Hash, chainingKey: consuming Secret) {
    self.hash = hash
    self.chainingKey = chainingKey
  }

  /// A second state that goes on from here, so that a forged message can spoil only that.
  borrowing func branch() -> SymmetricState {
    SymmetricState(hash: hash, chainingKey: Secret(chainingKey.bytes, in: chainingKey.home))
  }

  /// Adds octets that both sides see.
  mutating func mix(_ bytes: RawSpan) {
    hash = BLAKE2s.hash(hash.bytes, bytes)
  }

  /// Adds a public key: to the hash, and with a preshared key in the pattern to the chaining key too (Noise §9.2).
  mutating func mix(ephemeral key: PublicKey) {
    let octets = key.octets
    mix(octets.bytes)
    var outputs = HKDF(salt: chainingKey.bytes, input: octets.bytes, in: chainingKey.home)
    chainingKey = outputs.next()
  }

  /// Adds a shared secret that nothing is sealed under.
  mutating func mix(secret: borrowing Secret) {
    var outputs = HKDF(salt: chainingKey.bytes, input: secret.bytes, in: chainingKey.home)
    chainingKey = outputs.next()
  }

  /// Adds a shared secret and returns the key that goes with it.
  mutating func key(mixing secret: borrowing Secret) -> SymmetricKey {
    var outputs = HKDF(salt: chainingKey.bytes, input: secret.bytes, in: chainingKey.home)
    chainingKey = outputs.next()
    return SymmetricKey(outputs.next())
  }

  /// Adds the preshared key, zeros without one, and returns the key that goes with it.
  mutating func key(mixing psk: PresharedKey?) -> SymmetricKey {
    guard let psk else { return key(mixingPreshared: Secret(in: chainingKey.home)) }
    return key(mixingPreshared: psk.secret)
  }

  private mutating func key(mixingPreshared psk: borrowing Secret) -> SymmetricKey {
    var outputs = HKDF(salt: chainingKey.bytes, input: psk.bytes, in: chainingKey.home)
    chainingKey = outputs.next()
    let mixed = outputs.next()
    mix(mixed.bytes)
    return SymmetricKey(outputs.next())
  }

  /// Seals with the hash as additional data, and adds the ciphertext.
  mutating func seal(_ plaintext: RawSpan, _ key: borrowing SymmetricKey) -> [UInt8] {
    let sealed = key.seal(plaintext, additional: hash.bytes)
    mix(sealed.bytes)
    return sealed
  }

  /// Opens with the hash as additional data, and adds the ciphertext.
  mutating func open(_ sealed: RawSpan, _ key: borrowing SymmetricKey) throws(HandshakeError) -> [UInt8] {
    guard let plaintext = key.open(sealed, additional: hash.bytes) else { throw .unauthentic }
    mix(sealed)
    return plaintext
  }

  /// The two transport keys, in the initiator's order.
  borrowing func split() -> TransportKeys {
    var outputs = HKDF(salt: chainingKey.bytes, input: RawSpan(), in: chainingKey.home)
    return TransportKeys(initiator: SymmetricKey(outputs.next()), responder: SymmetricKey(outputs.next()))
  }
}

/// What a handshake ends in: the key that each side sends with.
struct TransportKeys: ~Copyable {
  let initiator: SymmetricKey
  let responder: SymmetricKey

  /// The session of the side that is the initiator or not.
  consuming func keypair(
    localIndex: ReceiverIndex, remoteIndex: ReceiverIndex, isInitiator: Bool, createdAt: Instant
  ) -> Keypair {
    if isInitiator {
      return Keypair(
        localIndex: localIndex, remoteIndex: remoteIndex, isInitiator: true, createdAt: createdAt,
        sending: initiator, receiving: responder)
    }
    return Keypair(
      localIndex: localIndex, remoteIndex: remoteIndex, isInitiator: false, createdAt: createdAt,
      sending: responder, receiving: initiator)
  }
}
