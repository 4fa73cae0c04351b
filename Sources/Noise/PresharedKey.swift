/// A preshared key, 32 octets, mixed into a handshake as `psk2`; wiped when the last reference goes.
public final class PresharedKey: Sendable, Equatable {
  let secret: Secret

  /// Takes the first 32 octets of `bytes`; `nil` if there are fewer, or all are zero, which stands for no key.
  ///
  /// Keys of one device should share its arena; without one, the key gets locked memory of its own, which takes a page.
  public init?(_ bytes: RawSpan, in arena: SecretArena = SecretArena()) {
    guard bytes.byteCount >= SecretArena.slotSize else { return nil }
    secret = Secret(bytes, in: arena)
    guard !secret.isZero else { return nil }
  }

  /// Draws a new key.
  public init(using random: inout some RandomNumberGenerator, in arena: SecretArena = SecretArena()) {
    secret = Secret(random: &random, in: arena)
  }

  /// Calls `body` with the 32 octets; they must not be kept.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try unsafe body(UnsafeRawBufferPointer(start: secret.pointer, count: SecretArena.slotSize))
  }

  /// Whether both are the same key, in constant time.
  public static func == (lhs: PresharedKey, rhs: PresharedKey) -> Bool {
    lhs.secret == rhs.secret
  }
}
