/// A ChaCha20-Poly1305 key in the arena; wiped when its owner ends.
public struct SymmetricKey: ~Copyable, Sendable {
  let octets: Secret

  /// Takes the first 32 octets of `bytes`, which must have them.
  public init(_ bytes: RawSpan, in arena: SecretArena) {
    octets = Secret(bytes, in: arena)
  }

  init(_ octets: consuming Secret) {
    self.octets = octets
  }
}
