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
    // Whole payloads pass here, so it is done in vectors of wide words. Neither the width nor the order of octets matters to
    // a ones' complement sum, as long as both are put right at the end (RFC 1071 §2).
    let native = unsafe bytes.withUnsafeBytes { buffer in
      var total = SIMD8<UInt64>()
      var high = SIMD8<UInt64>()
      let blocks = buffer.count & ~63
      for offset in stride(from: 0, to: blocks, by: 64) {
        let words = unsafe buffer.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
        total &+= words
        high &+= words &>> 32
      }
      // What the upper halves added to the total goes out again; the rest is exact, since the lower ones cannot overflow.
      var sum = (total &- high &<< 32).wrappedSum() &+ high.wrappedSum()
      let words = buffer.count & ~3
      for offset in stride(from: blocks, to: words, by: 4) {
        sum &+= UInt64(unsafe buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      }
      var rest: UInt32 = 0
      for offset in words..<buffer.count {
        rest |= UInt32(unsafe buffer[offset]) &<< UInt32(8 &* (offset &- words))
      }
      return sum &+ UInt64(UInt32(littleEndian: rest))
    }
    sum &+= UInt64(UInt16(bigEndian: Self.fold(native)))
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
