internal import Net

extension FixedWidthInteger where Self: UnsignedInteger {
  /// Reads decimal digits and nothing else; `nil` if there is none, or the number is too large.
  init?(decimal text: some StringProtocol) {
    let isDecimal = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isDecimal, let value = Self(text, radix: 10) else { return nil }
    self = value
  }

  /// Reads a number as `wg` does: decimal, or hexadecimal after `0x`.
  init?(decimalOrHex text: some StringProtocol) {
    guard text.hasPrefix("0x") else {
      self.init(decimal: text)
      return
    }
    let digits = text.utf8.dropFirst(2)
    let isHex = digits.allSatisfy { UInt8(hexDigit: $0) != nil }
    guard isHex, let value = Self(String(text.dropFirst(2)), radix: 16) else { return nil }
    self = value
  }
}

/// The parts of `text` between newlines; at least one.
///
/// A carriage return stays with its line.
func lines(of text: some StringProtocol) -> [Substring] {
  Substring(text).utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    .map { Substring($0) }
}

/// `text` between backquotes for a message: control characters made visible, cut to a line's length.
func quoted(_ text: some StringProtocol) -> String {
  var result = "`"
  for scalar in text.unicodeScalars.prefix(60) {
    let isPrintable =
      scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format
    result += isPrintable ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
  }
  return result + (text.unicodeScalars.count > 60 ? "…`" : "`")
}

extension Configuration.EndpointSource: CustomStringConvertible {
  /// Reads `a.b.c.d:port`, `[v6]:port`, or `name:port`.
  public init?(_ text: some StringProtocol) {
    if let source = Self(numeric: text) {
      self = source
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(decimal: text[text.index(after: colon)...]),
      Self.isHostName(text[..<colon])
    else { return nil }
    self = .name(String(text[..<colon]), port: port)
  }

  /// Reads a numeric endpoint.
  ///
  /// A link-local address may carry its interface's name; that is a name to be resolved.
  init?(numeric text: some StringProtocol) {
    if let endpoint = Endpoint(text) {
      self = .address(endpoint)
      return
    }
    guard text.hasPrefix("["), let bracket = text.lastIndex(of: "]"), let percent = text.firstIndex(of: "%"),
      percent < bracket, text[bracket...].hasPrefix("]:"),
      let port = UInt16(decimal: text[text.index(bracket, offsetBy: 2)...]),
      let address = IPv6Address(text[text.index(after: text.startIndex)..<percent]), address.isLinkLocal
    else { return nil }
    let zone = text[text.index(after: percent)..<bracket]
    guard (1...15).contains(zone.utf8.count), zone.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2F })
    else { return nil }
    self = .name("\(address)%\(zone)", port: port)
  }

  /// Letters, digits, hyphens, underscores and dots, with at least one letter: what is numeric throughout is
  /// a broken address.
  private static func isHostName(_ text: some StringProtocol) -> Bool {
    var hasLetter = false
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): hasLetter = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        break
      default: return false
      }
    }
    return hasLetter && text.utf8.count <= 253 && !text.hasPrefix(".") && !text.hasPrefix("-")
  }

  /// `a.b.c.d:port`, `[v6]:port` or `name:port`.
  public var description: String {
    switch self {
    case .address(let endpoint): endpoint.description
    case .name(let name, let port): name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
    }
  }
}
