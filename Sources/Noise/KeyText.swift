internal import Net

/// The two spellings of 32 octets that `wg` knows: base64 in files and on terminals, hexadecimal in the UAPI.
enum KeyText {
  /// The octets of 44 characters of base64: padded, with zero bits at the end, nothing around them.
  static func octets(base64 text: some StringProtocol) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard characters.count == 44, characters[43] == UInt8(ascii: "=") else { return nil }
    var octets: [UInt8] = []
    octets.reserveCapacity(33)
    for start in stride(from: 0, to: 44, by: 4) {
      var group: UInt32 = 0
      for index in start..<start + 4 {
        guard let bits = index == 43 ? 0 : sextet(characters[index]) else { return nil }
        group = group << 6 | UInt32(bits)
      }
      octets.append(UInt8(truncatingIfNeeded: group >> 16))
      octets.append(UInt8(truncatingIfNeeded: group >> 8))
      octets.append(UInt8(truncatingIfNeeded: group))
    }
    return octets.removeLast() == 0 ? octets : nil
  }

  /// The octets of 64 hexadecimal digits of either case.
  static func octets(hex text: some StringProtocol) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    var octets: [UInt8] = []
    octets.reserveCapacity(32)
    for start in stride(from: 0, to: 64, by: 2) {
      guard let high = UInt8(hexDigit: digits[start]), let low = UInt8(hexDigit: digits[start + 1]) else {
        return nil
      }
      octets.append(high << 4 | low)
    }
    return octets
  }

  static func base64(_ octets: some Collection<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(44)
    var group: UInt32 = 0
    for (index, octet) in octets.enumerated() {
      group = group << 8 | UInt32(octet)
      guard index % 3 == 2 else { continue }
      for shift in [18, 12, 6, 0] { text.append(character(group >> UInt32(shift))) }
      group = 0
    }
    for shift in [10, 4] { text.append(character(group >> UInt32(shift))) }
    text.append(character(group << 2))
    text.append(UInt8(ascii: "="))
    return String(decoding: text, as: UTF8.self)
  }

  static func hex(_ octets: some Collection<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(64)
    for octet in octets {
      text.append(hexDigits[Int(octet >> 4)])
      text.append(hexDigits[Int(octet & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static func character(_ bits: UInt32) -> UInt8 {
    alphabet[Int(bits & 63)]
  }

  private static func sextet(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}

extension PublicKey {
  /// Reads 44 characters of base64, as strictly as `wg`.
  public init?(base64 text: some StringProtocol) {
    guard let octets = KeyText.octets(base64: text) else { return nil }
    unsafe self.init(octets.span.bytes)
  }

  /// Reads 64 hexadecimal digits.
  public init?(hex text: some StringProtocol) {
    guard let octets = KeyText.octets(hex: text) else { return nil }
    unsafe self.init(octets.span.bytes)
  }

  /// The key as `wg` prints it.
  public var base64: String { KeyText.base64(bytes) }
  /// The key as the UAPI spells it.
  public var hex: String { KeyText.hex(bytes) }
}

extension PublicKey: CustomStringConvertible {
  /// The key as `wg` prints it.
  public var description: String { base64 }
}

extension PrivateKey {
  /// Reads 44 characters of base64; `nil` for all zeros as well, which stand for no key.
  public convenience init?(base64 text: some StringProtocol) {
    guard let octets = KeyText.octets(base64: text) else { return nil }
    unsafe self.init(octets.span.bytes)
  }

  /// Reads 64 hexadecimal digits; `nil` for all zeros as well, which stand for no key.
  public convenience init?(hex text: some StringProtocol) {
    guard let octets = KeyText.octets(hex: text) else { return nil }
    unsafe self.init(octets.span.bytes)
  }

  /// The secret, clamped, as `wg` prints it.
  public var base64: String { unsafe withBytes { unsafe KeyText.base64($0) } }
  /// The secret, clamped, as the UAPI spells it.
  public var hex: String { unsafe withBytes { unsafe KeyText.hex($0) } }
}

extension PresharedKey {
  /// Reads 44 characters of base64; `nil` for all zeros as well, which stand for no key.
  public convenience init?(base64 text: some StringProtocol) {
    guard let octets = KeyText.octets(base64: text) else { return nil }
    unsafe self.init(octets.span.bytes)
  }

  /// Reads 64 hexadecimal digits; `nil` for all zeros as well, which stand for no key.
  public convenience init?(hex text: some StringProtocol) {
    guard let octets = KeyText.octets(hex: text) else { return nil }
    unsafe self.init(octets.span.bytes)
  }

  /// The secret as `wg` prints it.
  public var base64: String { unsafe withBytes { unsafe KeyText.base64($0) } }
  /// The secret as the UAPI spells it.
  public var hex: String { unsafe withBytes { unsafe KeyText.hex($0) } }
}
