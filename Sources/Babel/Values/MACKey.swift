/// A key that authenticates packets, and what it does to octets (RFC 8967 §4.1).
///
/// This module knows no cryptography: whoever has the key brings the functions.
public struct MACKey: Sendable {
  /// Octets of a MAC.
  let size: Int
  let sign: @Sendable (_ message: [UInt8]) -> [UInt8]
  let verify: @Sendable (_ message: [UInt8], _ candidates: [[UInt8]]) -> Bool
  private let mark: [UInt8]

  /// Makes a key.
  ///
  /// - Parameters:
  ///   - sign: The MAC of a message, always of the same length.
  ///   - verify: Whether the MAC of a message is among the candidates; computed once and compared in constant time.
  public init(
    sign: @escaping @Sendable (_ message: [UInt8]) -> [UInt8],
    verify: @escaping @Sendable (_ message: [UInt8], _ candidates: [[UInt8]]) -> Bool
  ) {
    self.sign = sign
    self.verify = verify
    mark = sign([])
    size = mark.count
  }
}

extension MACKey: Equatable {
  /// Whether both make the same MACs.
  public static func == (lhs: MACKey, rhs: MACKey) -> Bool { lhs.mark == rhs.mark }
}
