/// An IPv6 address, 128 bits.
@frozen
public struct IPv6Address: Hashable, Sendable, BitwiseCopyable {
  /// The first eight octets as a number.
  public var high: UInt64
  /// The last eight octets as a number: the interface identifier of most unicast addresses.
  public var low: UInt64

  /// Makes the address from its two halves.
  @inlinable
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// `::`.
  public static let any = IPv6Address(high: 0, low: 0)

  /// `::1`.
  public static let loopback = IPv6Address(high: 0, low: 1)

  /// Whether the address is in fe80::/10.
  @inlinable
  public var isLinkLocal: Bool { high >> 54 == 0x3FA }

  /// Whether the address is in ff00::/8.
  @inlinable
  public var isMulticast: Bool { high >> 56 == 0xFF }

  /// The IPv4 address inside `::ffff:0:0/96`, if it is one.
  public var mappedIPv4: IPv4Address? {
    high == 0 && low >> 32 == 0xFFFF ? IPv4Address(bits: UInt32(truncatingIfNeeded: low)) : nil
  }
}

extension IPv6Address: Comparable {
  /// Orders by number.
  @inlinable
  public static func < (lhs: IPv6Address, rhs: IPv6Address) -> Bool {
    lhs.high != rhs.high ? lhs.high < rhs.high : lhs.low < rhs.low
  }
}

extension IPv6Address: CustomStringConvertible {
  /// Reads the text forms of RFC 4291 §2.2, a dotted quad at the end included; no zone.
  public init?(_ text: some StringProtocol) {
    var groups: [UInt16] = []
    var gap: Int?
    var rest = Substring(text)
    guard rest.utf8.count >= 2, rest.utf8.count <= 45 else { return nil }
    if rest.hasPrefix("::") {
      gap = 0
      rest = rest.dropFirst(2)
    } else if rest.hasPrefix(":") {
      return nil
    }
    while !rest.isEmpty {
      let field = rest.prefix { $0 != ":" }
      if field.contains(".") {
        guard field.endIndex == rest.endIndex, let quad = IPv4Address(field) else { return nil }
        groups.append(UInt16(quad.bits >> 16))
        groups.append(UInt16(quad.bits & 0xFFFF))
        rest = ""
        break
      }
      let isHex = field.utf8.allSatisfy { UInt8(hexDigit: $0) != nil }
      guard (1...4).contains(field.utf8.count), isHex, let group = UInt16(field, radix: 16) else {
        return nil
      }
      groups.append(group)
      rest = rest[field.endIndex...]
      guard !rest.isEmpty else { break }
      rest = rest.dropFirst()
      if rest.hasPrefix(":") {
        guard gap == nil else { return nil }
        gap = groups.count
        rest = rest.dropFirst()
      } else if rest.isEmpty {
        return nil
      }
      guard groups.count <= 8 else { return nil }
    }
    if let gap {
      guard groups.count <= 7 else { return nil }
      groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
    }
    guard groups.count == 8 else { return nil }
    high = groups[..<4].reduce(0) { $0 << 16 | UInt64($1) }
    low = groups[4...].reduce(0) { $0 << 16 | UInt64($1) }
  }

  /// The canonical form of RFC 5952: lower case, the first longest run of two or more zero groups shortened.
  public var description: String {
    if let quad = mappedIPv4 { return "::ffff:\(quad)" }
    let groups = (0..<8).map {
      UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - 16 * ($0 % 4)))
    }
    var best = 0..<0
    var start = 0
    while start < 8 {
      guard groups[start] == 0 else {
        start += 1
        continue
      }
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > max(best.count, 1) { best = start..<end }
      start = end
    }
    let hex = groups.map { String($0, radix: 16) }
    guard !best.isEmpty else { return hex.joined(separator: ":") }
    return hex[..<best.lowerBound].joined(separator: ":") + "::"
      + hex[best.upperBound...].joined(separator: ":")
  }
}

extension UInt8 {
  /// The value of one ASCII hexadecimal digit of either case.
  public init?(hexDigit: UInt8) {
    switch hexDigit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self = hexDigit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self = hexDigit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self = hexDigit - UInt8(ascii: "A") + 10
    default: return nil
    }
  }
}
