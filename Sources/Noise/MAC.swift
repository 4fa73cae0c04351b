internal import CSodium
internal import Net

/// Sixteen octets that authenticate a handshake message: mac1, mac2 or a cookie.
///
/// Two are compared in constant time.
struct MAC: Sendable, BitwiseCopyable {
  static let size = 16
  private let words: (UInt64, UInt64)

  /// What mac2 holds when there is no cookie.
  static let zero = MAC(words: (0, 0))

  private init(words: (UInt64, UInt64)) {
    self.words = words
  }

  /// Takes the first 16 octets of `bytes`, which must have them.
  init(_ bytes: RawSpan) {
    words = (bytes.little64(0), bytes.little64(8))
  }

  /// `Mac(key, message)` of whitepaper §5.4: the keyed digest.
  init(key: RawSpan, over message: RawSpan) {
    var digest = InlineArray<16, UInt8>(repeating: 0)
    var bytes = digest.mutableSpan
    BLAKE2s.keyedHash(key: key, message, into: &bytes)
    self.init(digest.bytes)
  }

  /// The 16 octets.
  var octets: InlineArray<16, UInt8> {
    let words = words
    return InlineArray { UInt8(truncatingIfNeeded: ($0 < 8 ? words.0 : words.1) >> (8 * ($0 % 8))) }
  }

  static func == (lhs: MAC, rhs: MAC) -> Bool {
    var (left, right) = (lhs.words, rhs.words)
    return unsafe sodium_memcmp(&left, &right, size) == 0
  }
}
