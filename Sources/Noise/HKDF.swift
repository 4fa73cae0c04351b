/// `Kdf1`, `Kdf2` and `Kdf3` of whitepaper §5.4: HKDF (RFC 5869) over HMAC-BLAKE2s.
///
/// Made from a chaining key and an input; each call of `next` gives the next output. What lies between is in the arena.
struct HKDF: ~Copyable {
  private let extracted: Secret
  private var last: Secret
  private var count: UInt8 = 0

  /// Extracts from `input` under `salt`, which has at most 64 octets.
  init(salt: RawSpan, input: RawSpan, in arena: SecretArena) {
    var key = Secret(in: arena)
    var bytes = key.mutableSpan
    BLAKE2s.hmac(key: salt, input, into: &bytes)
    extracted = key
    last = Secret(in: arena)
  }

  /// The next output of 32 octets.
  mutating func next() -> Secret {
    count += 1
    let block: InlineArray<1, UInt8> = [count]
    var output = Secret(in: last.home)
    var bytes = output.mutableSpan
    if count == 1 {
      BLAKE2s.hmac(key: extracted.bytes, block.bytes, into: &bytes)
    } else {
      BLAKE2s.hmac(key: extracted.bytes, last.bytes, block.bytes, into: &bytes)
    }
    last.assign(output.bytes)
    return output
  }
}
