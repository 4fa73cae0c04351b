internal import CBlake2
internal import CSodium
internal import Net

/// A BLAKE2s-256 digest, or the octets of a public key.
typealias Hash = InlineArray<32, UInt8>

/// `Hash`, `Mac` and `Hmac` of whitepaper §5.4, by libb2.
@safe
struct BLAKE2s {
  private var state = blake2s_state()

  /// Starts a digest of 1 to 32 octets, keyed with up to 32.
  private init(size: Int, key: RawSpan = RawSpan()) {
    // Both fail only for sizes that no caller has.
    if key.isEmpty {
      _ = unsafe blake2s_init(&state, size)
    } else {
      _ = unsafe key.withOctets { unsafe blake2s_init_key(&state, size, $0, key.byteCount) }
    }
  }

  private mutating func update(_ bytes: RawSpan) {
    unsafe bytes.withOctets { _ = unsafe blake2s_update(&state, $0, bytes.byteCount) }
  }

  /// Writes the digest and wipes what it was made from.
  private mutating func finish(into digest: inout MutableSpan<UInt8>) {
    let size = digest.count
    unsafe digest.withMutableOctets { _ = unsafe blake2s_final(&state, $0, size) }
    unsafe sodium_memzero(&state, MemoryLayout<blake2s_state>.size)
  }

  /// `Hash(first ‖ second)`.
  static func hash(_ first: RawSpan, _ second: RawSpan = RawSpan()) -> Hash {
    var digest = Hash(repeating: 0)
    var stream = BLAKE2s(size: digest.count)
    stream.update(first)
    stream.update(second)
    var bytes = digest.mutableSpan
    stream.finish(into: &bytes)
    return digest
  }

  /// The digest keyed with at most 32 octets; `digest` says how long it is.
  static func keyedHash(key: RawSpan, _ message: RawSpan, into digest: inout MutableSpan<UInt8>) {
    var stream = BLAKE2s(size: digest.count, key: key)
    stream.update(message)
    stream.finish(into: &digest)
  }

  /// `Hmac(key, first ‖ second)` of RFC 2104 for a key of up to one block.
  static func hmac(
    key: RawSpan, _ first: RawSpan, _ second: RawSpan = RawSpan(), into digest: inout MutableSpan<UInt8>
  ) {
    precondition(key.byteCount <= 64)
    var pad = InlineArray<64, UInt8>(repeating: 0x36)
    for index in 0..<key.byteCount { pad[index] ^= key.byte(index) }
    var inner = Hash(repeating: 0)
    var stream = BLAKE2s(size: inner.count)
    stream.update(pad.bytes)
    stream.update(first)
    stream.update(second)
    var innerBytes = inner.mutableSpan
    stream.finish(into: &innerBytes)
    for index in pad.indices { pad[index] ^= 0x36 ^ 0x5C }
    stream = BLAKE2s(size: digest.count)
    stream.update(pad.bytes)
    stream.update(inner.bytes)
    stream.finish(into: &digest)
    unsafe sodium_memzero(&pad, 64)
    unsafe sodium_memzero(&inner, 32)
  }
}
