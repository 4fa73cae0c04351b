internal import Net

/// A Curve25519 public key, 32 octets: the name of a peer.
@frozen
public struct PublicKey: Hashable, Sendable, BitwiseCopyable {
  /// The octets as four little-endian words.
  @usableFromInline
  internal let words: (UInt64, UInt64, UInt64, UInt64)

  /// Takes the first 32 octets of `bytes`, which must have them.
  public init(_ bytes: RawSpan) {
    words = (bytes.little64(0), bytes.little64(8), bytes.little64(16), bytes.little64(24))
  }

  /// The 32 octets.
  public var bytes: [UInt8] {
    let octets = octets
    return octets.indices.map { octets[$0] }
  }

  /// The 32 octets, without an allocation.
  public var octets: InlineArray<32, UInt8> {
    let words: InlineArray<4, UInt64> = [words.0, words.1, words.2, words.3]
    return InlineArray { UInt8(truncatingIfNeeded: words[$0 / 8] >> (8 * ($0 % 8))) }
  }

  /// Whether both are the same key.
  public static func == (lhs: PublicKey, rhs: PublicKey) -> Bool {
    lhs.words == rhs.words
  }

  /// Feeds the octets to `hasher`.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}

extension PublicKey: Comparable {
  /// The order of the octets: the first difference decides.
  public static func < (lhs: PublicKey, rhs: PublicKey) -> Bool {
    let left = (
      lhs.words.0.byteSwapped, lhs.words.1.byteSwapped, lhs.words.2.byteSwapped, lhs.words.3.byteSwapped
    )
    let right = (
      rhs.words.0.byteSwapped, rhs.words.1.byteSwapped, rhs.words.2.byteSwapped, rhs.words.3.byteSwapped
    )
    return left < right
  }
}
