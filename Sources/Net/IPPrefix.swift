/// An address and a prefix length; bits beyond the length are always zero.
@frozen
public struct IPPrefix: Hashable, Sendable, BitwiseCopyable {
  /// The first address of the prefix.
  public let address: IPAddress
  /// The number of leading bits that count.
  public let length: UInt8

  /// Makes a prefix and clears the host bits; `nil` if `length` is longer than the address.
  public init?(_ address: IPAddress, length: Int) {
    guard (0...address.family.bitWidth).contains(length) else { return nil }
    self.length = UInt8(length)
    switch address {
    case .v4(let a):
      self.address = .v4(IPv4Address(bits: a.bits & ~(UInt32.max >> UInt32(length))))
    case .v6(let a):
      let high = a.high & ~(UInt64.max >> UInt64(min(length, 64)))
      let low = a.low & ~(UInt64.max >> UInt64(max(length - 64, 0)))
      self.address = .v6(IPv6Address(high: high, low: low))
    }
  }

  /// The prefix that holds one address.
  public init(host address: IPAddress) {
    self.address = address
    length = UInt8(address.family.bitWidth)
  }

  /// `0.0.0.0/0`.
  public static let defaultIPv4 = IPPrefix(address: .v4(.any), length: 0)
  /// `::/0`.
  public static let defaultIPv6 = IPPrefix(address: .v6(.any), length: 0)

  private init(address: IPAddress, length: UInt8) {
    self.address = address
    self.length = length
  }

  /// The family of the prefix.
  @inlinable
  public var family: AddressFamily { address.family }

  /// Whether the prefix holds one address only.
  @inlinable
  public var isHost: Bool { Int(length) == family.bitWidth }

  /// Whether the prefix is 0.0.0.0/0 or ::/0.
  @inlinable
  public var isDefault: Bool { length == 0 }

  /// Whether `address` lies in the prefix; never across families.
  @inlinable
  public func contains(_ address: IPAddress) -> Bool {
    switch (self.address, address) {
    case (.v4(let mine), .v4(let other)):
      return (mine.bits ^ other.bits) & ~(UInt32.max >> UInt32(length)) == 0
    case (.v6(let mine), .v6(let other)):
      let high = (mine.high ^ other.high) & ~(UInt64.max >> UInt64(min(length, 64)))
      let low = (mine.low ^ other.low) & ~(UInt64.max >> UInt64(length > 64 ? length - 64 : 0))
      return high | low == 0
    default:
      return false
    }
  }

  /// Whether every address of `other` lies in the prefix.
  @inlinable
  public func contains(_ other: IPPrefix) -> Bool {
    length <= other.length && contains(other.address)
  }

  /// Whether the two prefixes share an address.
  public func overlaps(_ other: IPPrefix) -> Bool {
    contains(other) || other.contains(self)
  }
}

extension IPPrefix: Comparable {
  /// By address, then the shorter prefix first.
  public static func < (lhs: IPPrefix, rhs: IPPrefix) -> Bool {
    lhs.address != rhs.address ? lhs.address < rhs.address : lhs.length < rhs.length
  }
}

extension IPPrefix: CustomStringConvertible {
  /// Reads `ADDRESS/LENGTH`, or a bare address as a host prefix; host bits are cleared.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = IPAddress(first) else { return nil }
    guard parts.count == 2 else {
      self.init(host: address)
      return
    }
    let digits = parts[1].utf8
    let isDecimal = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard (1...3).contains(digits.count), isDecimal, let length = Int(parts[1]) else { return nil }
    self.init(address, length: length)
  }

  /// The text form.
  public var description: String { "\(address)/\(length)" }
}
