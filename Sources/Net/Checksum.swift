/// The Internet checksum (RFC 1071): a ones' complement sum of 16-bit words.
@frozen
public struct Checksum: Sendable {
  @usableFromInline
  internal var sum: UInt64 = 0

  /// The empty sum.
  @inlinable
  public init() {}

  /// Adds bytes; an odd number of them is padded with a zero, so only the last part may be odd.
  public mutating func add(_ bytes: RawSpan) {
    var offset = addVectors(bytes)
    // Ones' complement sums may be taken over wider words and folded at the end (RFC 1071 §2).
    while offset + 8 <= bytes.byteCount {
      let word = bytes.big64(offset)
      sum &+= (word >> 32) &+ (word & 0xFFFF_FFFF)
      offset += 8
    }
    while offset + 2 <= bytes.byteCount {
      sum &+= UInt64(bytes.big16(offset))
      offset += 2
    }
    if offset < bytes.byteCount { sum &+= UInt64(bytes.byte(offset)) << 8 }
  }

  /// Adds as many whole blocks of 64 octets as there are and returns how far it came: whole payloads, for the
  /// offloads.
  private mutating func addVectors(_ bytes: RawSpan) -> Int {
    let blockCount = bytes.byteCount / 64
    guard blockCount > 0 else { return 0 }
    var low = SIMD8<UInt64>()
    var high = SIMD8<UInt64>()
    unsafe bytes.withUnsafeBytes { buffer in
      for block in 0..<blockCount {
        let words = unsafe buffer.loadUnaligned(fromByteOffset: block &* 64, as: SIMD8<UInt64>.self)
        low &+= words & 0xFFFF_FFFF
        high &+= words &>> 32
      }
    }
    // The sum does not depend on the order of octets, as long as it is put right at the end (RFC 1071 §2 B).
    let folded = Self.fold(low.wrappedSum() &+ high.wrappedSum())
    sum &+= UInt64(UInt16(bigEndian: folded))
    return blockCount * 64
  }

  private static func fold(_ sum: UInt64) -> UInt16 {
    var folded = (sum >> 32) &+ (sum & 0xFFFF_FFFF)
    while folded >> 16 != 0 { folded = (folded >> 16) &+ (folded & 0xFFFF) }
    return UInt16(truncatingIfNeeded: folded)
  }

  /// Adds one 16-bit word.
  @inlinable
  public mutating func add(_ word: UInt16) { sum &+= UInt64(word) }

  /// Adds the pseudo-header of RFC 793 and RFC 8200 §8.1.
  public mutating func addPseudoHeader(
    source: IPAddress, destination: IPAddress, protocolNumber: UInt8, length: Int
  ) {
    for address in [source, destination] {
      switch address {
      case .v4(let a): sum &+= UInt64(a.bits)
      case .v6(let a):
        for half in [a.high, a.low] { sum &+= (half >> 32) &+ (half & 0xFFFF_FFFF) }
      }
    }
    sum &+= UInt64(protocolNumber) &+ UInt64(length)
  }

  /// The checksum of what was added: the complement of the folded sum.
  public var value: UInt16 { ~Self.fold(sum) }

  /// A checksum after one word under it changed from `old` to `new` (RFC 1624, equation 3).
  @inlinable
  public static func updated(_ checksum: UInt16, from old: UInt16, to new: UInt16) -> UInt16 {
    var sum = UInt32(~checksum) &+ UInt32(~old) &+ UInt32(new)
    sum = (sum >> 16) &+ (sum & 0xFFFF)
    sum = (sum >> 16) &+ (sum & 0xFFFF)
    return ~UInt16(truncatingIfNeeded: sum)
  }
}
