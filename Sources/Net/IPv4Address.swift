/// An IPv4 address, 32 bits.
@frozen
public struct IPv4Address: Hashable, Sendable, BitwiseCopyable {
  /// The address as a number: `10.0.0.1` is `0x0A00_0001`.
  public var bits: UInt32

  /// Makes the address with these bits.
  @inlinable
  public init(bits: UInt32) {
    self.bits = bits
  }

  /// Makes the address `a.b.c.d`.
  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
    bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
  }

  /// `0.0.0.0`.
  public static let any = IPv4Address(bits: 0)

  /// Whether the address is in 224.0.0.0/4.
  @inlinable
  public var isMulticast: Bool { bits >> 28 == 0xE }

  /// Whether the address is in 127.0.0.0/8.
  @inlinable
  public var isLoopback: Bool { bits >> 24 == 127 }

  /// Whether the address is in 169.254.0.0/16 (RFC 3927).
  @inlinable
  public var isLinkLocal: Bool { bits >> 16 == 0xA9FE }
}

extension IPv4Address: Comparable {
  /// Orders by number.
  @inlinable
  public static func < (lhs: IPv4Address, rhs: IPv4Address) -> Bool { lhs.bits < rhs.bits }
}

extension IPv4Address: CustomStringConvertible {
  /// Reads four decimal numbers between dots; leading zeros are refused, since readers disagree about their base.
  public init?(_ text: some StringProtocol) {
    var bits: UInt32 = 0
    let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    for part in parts {
      guard let octet = UInt8(decimal: part) else { return nil }
      bits = bits << 8 | UInt32(octet)
    }
    self.init(bits: bits)
  }

  /// The text form.
  public var description: String {
    "\(bits >> 24).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
  }
}

extension UInt8 {
  fileprivate init?(decimal digits: some Collection<UInt8>) {
    guard (1...3).contains(digits.count), digits.count == 1 || digits.first != UInt8(ascii: "0") else {
      return nil
    }
    var value = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      value = value * 10 + Int(digit - UInt8(ascii: "0"))
    }
    self.init(exactly: value)
  }
}
