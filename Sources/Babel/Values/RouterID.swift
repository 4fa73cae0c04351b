/// The eight octets that name a node in the routing protocol (RFC 8966 §3.1.1).
@frozen
public struct RouterID: Hashable, Sendable, BitwiseCopyable {
  /// The octets as a big-endian number.
  public let rawValue: UInt64

  /// Makes the router-id; `nil` for all zeros and all ones, which the RFC reserves.
  @inlinable
  public init?(_ rawValue: UInt64) {
    guard rawValue != 0, rawValue != .max else { return nil }
    self.rawValue = rawValue
  }
}

extension RouterID: Comparable {
  /// By number, to have an order at all.
  @inlinable
  public static func < (lhs: RouterID, rhs: RouterID) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension RouterID: CustomStringConvertible {
  /// Reads eight pairs of hexadecimal digits with colons between.
  public init?(_ text: some StringProtocol) {
    let octets = text.split(separator: ":", omittingEmptySubsequences: false)
    guard octets.count == 8 else { return nil }
    var number: UInt64 = 0
    for octet in octets {
      let isPair = octet.utf8.count == 2 && octet.utf8.first != UInt8(ascii: "+")
      guard isPair, let value = UInt8(octet, radix: 16) else { return nil }
      number = number << 8 | UInt64(value)
    }
    self.init(number)
  }

  /// Eight pairs of hexadecimal digits with colons between, as babeld and BIRD print it.
  public var description: String {
    (0..<8).map { index in
      let octet = UInt8(truncatingIfNeeded: rawValue >> UInt64(56 - 8 * index))
      return (octet < 16 ? "0" : "") + String(octet, radix: 16)
    }.joined(separator: ":")
  }
}
