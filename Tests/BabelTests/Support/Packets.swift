import Net

@testable import Babel

extension [UInt8] {
  /// Reads hexadecimal digits; spaces are skipped.
  init(hex: String) {
    let digits = hex.utf8.filter { $0 != UInt8(ascii: " ") }
    self = stride(from: 0, to: digits.count - 1, by: 2).map { index in
      (UInt8(hexDigit: digits[index]) ?? 0) << 4 | (UInt8(hexDigit: digits[index + 1]) ?? 0)
    }
  }

  /// A Babel packet around TLVs written in hexadecimal.
  static func packet(_ hex: String) -> [UInt8] {
    let body = [UInt8](hex: hex)
    return [42, 2, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
  }
}

/// Reads a packet of TLVs written in hexadecimal, from fe80::1.
func decode(_ hex: String) -> [TLV] {
  Captures.messages(.packet(hex), from: VirtualNetwork.linkLocal(0))
}

/// The updates in a packet, as "prefix" or "prefix@router-id".
func updates(_ hex: String) -> [String] {
  decode(hex).compactMap { message in
    guard case .update(let update) = message else { return nil }
    return update.prefix.description + (update.routerID.map { "@" + String($0.rawValue, radix: 16) } ?? "")
  }
}

extension RouterID {
  static func test(_ value: UInt64) -> RouterID { RouterID(value).unsafelyUnwrapped }
}

extension IPPrefix {
  static func test(_ text: String) -> IPPrefix { IPPrefix(text).unsafelyUnwrapped }
}
