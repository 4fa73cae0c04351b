internal import CSodium

/// A Curve25519 private key, clamped, in libsodium's guarded memory; wiped when the last reference goes.
@safe
public final class PrivateKey: Sendable {
  /// The public key that belongs to it.
  public let publicKey: PublicKey
  // Written in `init` only, so every thread may read it.
  private nonisolated(unsafe) let memory: UnsafeMutableRawPointer

  /// Takes and clamps the first 32 octets of `bytes`; `nil` if they are all zero or guarded memory is not to be had.
  public init?(_ bytes: RawSpan) {
    guard bytes.byteCount >= 32, sodium_init() >= 0, let page = unsafe sodium_malloc(32) else { return nil }
    unsafe memory = page
    unsafe bytes.withUnsafeBytes {
      unsafe page.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: 32)
    }
    guard unsafe sodium_is_zero(page.assumingMemoryBound(to: UInt8.self), 32) == 0 else { return nil }
    unsafe page.storeBytes(of: page.load(as: UInt8.self) & 248, as: UInt8.self)
    unsafe page.storeBytes(
      of: page.load(fromByteOffset: 31, as: UInt8.self) & 127 | 64, toByteOffset: 31, as: UInt8.self)
    _ = unsafe sodium_mprotect_readonly(page)
    var point = [UInt8](repeating: 0, count: 32)
    guard unsafe crypto_scalarmult_base(&point, page.assumingMemoryBound(to: UInt8.self)) == 0 else {
      return nil
    }
    publicKey = unsafe PublicKey(point.span.bytes)
  }

  deinit {
    unsafe sodium_free(memory)
  }

  /// Calls `body` with the 32 octets; they must not be kept.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try unsafe body(UnsafeRawBufferPointer(start: memory, count: 32))
  }
}
