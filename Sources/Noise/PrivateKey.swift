internal import CSodium

/// A Curve25519 private key, clamped, in guarded memory of its own; wiped when the last reference goes.
///
/// libsodium surrounds it with inaccessible pages, locks it and makes it read-only. One device has one such key.
@safe
public final class PrivateKey: Sendable {
  /// The public key that belongs to it.
  public let publicKey: PublicKey
  // Written in `init` only, so every thread may read it.
  private nonisolated(unsafe) let memory: UnsafeMutableRawPointer

  /// Takes and clamps the first 32 octets of `bytes`.
  ///
  /// `nil` if there are fewer, all are zero, which stands for no key, or guarded memory is not to be had.
  public init?(_ bytes: RawSpan) {
    guard bytes.byteCount >= 32, sodium_init() >= 0, let page = unsafe sodium_malloc(32) else { return nil }
    unsafe memory = page
    unsafe bytes.withOctets { unsafe page.copyMemory(from: $0, byteCount: 32) }
    let isZero = unsafe sodium_is_zero(page.assumingMemoryBound(to: UInt8.self), 32) == 1
    var octets = unsafe MutableSpan(_unsafeStart: page.assumingMemoryBound(to: UInt8.self), count: 32)
    Curve25519.clamp(&octets)
    publicKey = unsafe Curve25519.publicKey(of: RawSpan(_unsafeStart: page, byteCount: 32))
    guard !isZero else { return nil }
    _ = unsafe sodium_mprotect_readonly(page)
  }

  deinit {
    unsafe sodium_free(memory)
  }

  /// Draws a new key; `nil` if guarded memory is not to be had.
  public static func generate(using random: inout some RandomNumberGenerator) -> PrivateKey? {
    PrivateKey(Secret(random: &random, in: SecretArena()).bytes)
  }

  /// Calls `body` with the 32 octets; they must not be kept.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try unsafe body(UnsafeRawBufferPointer(start: memory, count: 32))
  }

  /// The 32 octets.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeStart: memory, byteCount: 32)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}
