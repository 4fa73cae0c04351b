internal import CSodium

/// A preshared key, 32 octets, mixed into a handshake as `psk2`; wiped when the last reference goes.
@safe
public final class PresharedKey: Sendable, Equatable {
  // Written in `init` only, so every thread may read it.
  private nonisolated(unsafe) let memory: UnsafeMutableRawPointer

  /// Takes the first 32 octets of `bytes`; `nil` if they are all zero, which stands for no key.
  public init?(_ bytes: RawSpan) {
    guard bytes.byteCount >= 32, sodium_init() >= 0, let page = unsafe sodium_malloc(32) else { return nil }
    unsafe memory = page
    unsafe bytes.withUnsafeBytes {
      unsafe page.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: 32)
    }
    guard unsafe sodium_is_zero(page.assumingMemoryBound(to: UInt8.self), 32) == 0 else { return nil }
  }

  deinit {
    unsafe sodium_free(memory)
  }

  /// Calls `body` with the 32 octets; they must not be kept.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try unsafe body(UnsafeRawBufferPointer(start: memory, count: 32))
  }

  /// Whether both are the same key, in constant time.
  public static func == (lhs: PresharedKey, rhs: PresharedKey) -> Bool {
    unsafe sodium_memcmp(lhs.memory, rhs.memory, 32) == 0
  }
}
