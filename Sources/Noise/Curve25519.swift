internal import CSodium

/// `DH` and `DH-Generate` of whitepaper §5.4, by libsodium.
enum Curve25519 {
  /// The shared secret of a private key and a public one.
  ///
  /// The all-zero result of a point of low order is refused: it would be the same for every private key.
  static func agree(_ privateKey: RawSpan, _ publicKey: PublicKey, in arena: SecretArena)
    throws(HandshakeError)
    -> Secret
  {
    var shared = Secret(in: arena)
    let point = publicKey.octets
    var bytes = shared.mutableSpan
    let status = unsafe bytes.withMutableOctets { shared in
      unsafe privateKey.withOctets { scalar in
        unsafe point.bytes.withOctets { unsafe crypto_scalarmult(shared, scalar, $0) }
      }
    }
    guard status == 0 else { throw .weakPublicKey }
    return shared
  }

  /// The public key of a private one.
  static func publicKey(of privateKey: RawSpan) -> PublicKey {
    var point = Hash(repeating: 0)
    var bytes = point.mutableSpan
    unsafe bytes.withMutableOctets { point in
      // Never fails: the base point is of prime order.
      unsafe privateKey.withOctets { _ = unsafe crypto_scalarmult_base(point, $0) }
    }
    return PublicKey(point.bytes)
  }

  /// Clears and sets the bits of a private key that RFC 7748 §5 says.
  static func clamp(_ privateKey: inout MutableSpan<UInt8>) {
    privateKey[0] &= 248
    privateKey[31] = privateKey[31] & 127 | 64
  }

  /// A fresh private key.
  static func generate(in arena: SecretArena, using random: inout some RandomNumberGenerator) -> Secret {
    var key = Secret(random: &random, in: arena)
    var bytes = key.mutableSpan
    clamp(&bytes)
    return key
  }
}

extension PrivateKey {
  /// The shared secret with `publicKey`; throws for a point of low order.
  func agree(with publicKey: PublicKey, in arena: SecretArena) throws(HandshakeError) -> Secret {
    try Curve25519.agree(bytes, publicKey, in: arena)
  }
}

extension Secret {
  /// The public key of this private key.
  var publicKey: PublicKey { Curve25519.publicKey(of: bytes) }

  /// The shared secret of this private key with `publicKey`; throws for a point of low order.
  borrowing func agree(with publicKey: PublicKey) throws(HandshakeError) -> Secret {
    try Curve25519.agree(bytes, publicKey, in: home)
  }
}
