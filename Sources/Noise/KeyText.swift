internal import CSodium
internal import Net

/// Keys as text, exactly as `wg` reads and writes them: 44 characters of base64, or 64 hexadecimal digits.
///
/// Digits are translated by arithmetic and not by tables, so neither time nor cache tells which they are.
enum KeyText {
  /// Reads 43 digits and `=`; the last digit must not carry bits beyond the 32 octets.
  static func decode(base64 text: some StringProtocol) -> Hash? {
    var key = Hash(repeating: 0)
    var (count, bits, buffered, invalid) = (0, 0, 0, 0)
    for character in text.utf8 {
      defer { count += 1 }
      guard count < 43 else {
        guard count == 43, character == UInt8(ascii: "=") else { return nil }
        continue
      }
      let value = base64Value(Int(character))
      invalid |= value >> 8
      buffered = (buffered << 6 | value & 63) & 0x3FFF
      bits += 6
      guard bits >= 8 else { continue }
      bits -= 8
      key[(count * 6 + 6) / 8 - 1] = UInt8(truncatingIfNeeded: buffered >> bits)
    }
    invalid |= buffered & 3
    return count == 44 && invalid == 0 ? key : nil
  }

  /// Reads 64 digits of either case.
  static func decode(hex text: some StringProtocol) -> Hash? {
    guard var key = decode(longHex: text) else { return nil }
    defer { unsafe sodium_memzero(&key.octets, 64) }
    return key.count == 32 ? Hash { key.octets[$0] } : nil
  }

  /// Reads pairs of digits of either case, up to 64 octets, and says how many.
  static func decode(longHex text: some StringProtocol) -> (octets: InlineArray<64, UInt8>, count: Int)? {
    var key = InlineArray<64, UInt8>(repeating: 0)
    var (count, invalid) = (0, 0)
    for character in text.utf8 {
      guard count < 128 else { return nil }
      let value = hexValue(Int(character))
      invalid |= value >> 8
      key[count / 2] = key[count / 2] << 4 | UInt8(truncatingIfNeeded: value & 15)
      count += 1
    }
    return count % 2 == 0 && invalid == 0 ? (key, count / 2) : nil
  }

  /// Writes 32 octets as 43 digits and `=`.
  static func base64(_ key: RawSpan) -> String {
    unsafe String(unsafeUninitializedCapacity: 44) { text in
      for place in 0..<43 {
        let bit = place * 6
        let high = Int(key.byte(bit / 8)) << 8
        let low = bit / 8 + 1 < 32 ? Int(key.byte(bit / 8 + 1)) : 0
        unsafe text[place] = base64Digit((high | low) >> (10 - bit % 8) & 63)
      }
      unsafe text[43] = UInt8(ascii: "=")
      return 44
    }
  }

  /// Writes 32 octets as 64 lower-case digits.
  static func hex(_ key: RawSpan) -> String {
    unsafe String(unsafeUninitializedCapacity: 64) { text in
      for place in 0..<64 {
        unsafe text[place] = hexDigit(Int(key.byte(place / 2)) >> (4 - 4 * (place % 2)) & 15)
      }
      return 64
    }
  }

  /// All ones if `low <= character <= high`, else zero; the difference is negative outside.
  private static func mask(_ character: Int, _ low: Unicode.Scalar, _ high: Unicode.Scalar) -> Int {
    ~(((character - Int(low.value)) | (Int(high.value) - character)) >> (Int.bitWidth - 1))
  }

  /// The value of a base64 digit; beyond 255 for any other character.
  private static func base64Value(_ character: Int) -> Int {
    let upper = mask(character, "A", "Z")
    let lower = mask(character, "a", "z")
    let digit = mask(character, "0", "9")
    let plus = mask(character, "+", "+")
    let slash = mask(character, "/", "/")
    return upper & (character - 65) | lower & (character - 71) | digit & (character + 4) | plus & 62
      | slash & 63 | ~(upper | lower | digit | plus | slash) & 0x100
  }

  /// The value of a hexadecimal digit; beyond 255 for any other character.
  private static func hexValue(_ character: Int) -> Int {
    let upper = mask(character, "A", "F")
    let lower = mask(character, "a", "f")
    let digit = mask(character, "0", "9")
    return upper & (character - 55) | lower & (character - 87) | digit & (character - 48)
      | ~(upper | lower | digit) & 0x100
  }

  private static func base64Digit(_ value: Int) -> UInt8 {
    // From 'A'; each comparison that holds moves on to the next range of characters.
    var digit = value + 65
    digit += ((25 - value) >> 8) & 6
    digit -= ((51 - value) >> 8) & 75
    digit -= ((61 - value) >> 8) & 15
    digit += ((62 - value) >> 8) & 3
    return UInt8(truncatingIfNeeded: digit)
  }

  private static func hexDigit(_ value: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: value + 48 + ((9 - value) >> 8) & 39)
  }
}

extension PublicKey {
  /// Reads 44 characters of base64.
  public init?(base64 text: some StringProtocol) {
    guard let key = KeyText.decode(base64: text) else { return nil }
    self.init(key.bytes)
  }

  /// Reads 64 hexadecimal digits.
  public init?(hex text: some StringProtocol) {
    guard let key = KeyText.decode(hex: text) else { return nil }
    self.init(key.bytes)
  }

  /// The key as 44 characters of base64.
  public var base64: String { KeyText.base64(octets.bytes) }

  /// The key as 64 hexadecimal digits.
  public var hex: String { KeyText.hex(octets.bytes) }
}

extension PublicKey: CustomStringConvertible {
  /// The key as `wg` shows it.
  public var description: String { base64 }
}

extension PrivateKey {
  /// Reads 44 characters of base64; `nil` for the key of zeros too.
  public convenience init?(base64 text: some StringProtocol) {
    guard var key = KeyText.decode(base64: text) else { return nil }
    defer { unsafe sodium_memzero(&key, key.count) }
    self.init(key.bytes)
  }

  /// Reads 64 hexadecimal digits; `nil` for the key of zeros too.
  public convenience init?(hex text: some StringProtocol) {
    guard var key = KeyText.decode(hex: text) else { return nil }
    defer { unsafe sodium_memzero(&key, key.count) }
    self.init(key.bytes)
  }

  /// The secret as 44 characters of base64, in ordinary memory: only for who asked to see it.
  public var base64: String { KeyText.base64(bytes) }

  /// The secret as 64 hexadecimal digits, in ordinary memory: only for who asked to see it.
  public var hex: String { KeyText.hex(bytes) }
}

extension PresharedKey {
  /// Reads 44 characters of base64; `nil` for the key of zeros too.
  public convenience init?(base64 text: some StringProtocol, in arena: SecretArena = SecretArena()) {
    guard var key = KeyText.decode(base64: text) else { return nil }
    defer { unsafe sodium_memzero(&key, key.count) }
    self.init(key.bytes, in: arena)
  }

  /// Reads 64 hexadecimal digits; `nil` for the key of zeros too.
  public convenience init?(hex text: some StringProtocol, in arena: SecretArena = SecretArena()) {
    guard var key = KeyText.decode(hex: text) else { return nil }
    defer { unsafe sodium_memzero(&key, key.count) }
    self.init(key.bytes, in: arena)
  }

  /// The secret as 44 characters of base64, in ordinary memory: only for who asked to see it.
  public var base64: String { secret.withBytes(KeyText.base64) }

  /// The secret as 64 hexadecimal digits, in ordinary memory: only for who asked to see it.
  public var hex: String { secret.withBytes(KeyText.hex) }
}
