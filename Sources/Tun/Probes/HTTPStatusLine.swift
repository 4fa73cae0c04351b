/// The first line of an answer of HTTP/1 (RFC 9112 §4).
public struct HTTPStatusLine: Sendable, Equatable {
  /// The status: three digits.
  public let code: Int

  /// Octets after which an answer without an end of line is none.
  static let limit = 512

  /// Reads the line that the octets begin with; `nil` as long as it may become one and has no end.
  ///
  /// Throws `Malformed` for anything else.
  public init?(_ octets: [UInt8]) throws(Malformed) {
    guard let end = octets.firstIndex(of: UInt8(ascii: "\n")) else {
      guard octets.count < Self.limit else { throw Malformed() }
      return nil
    }
    let words = octets[..<end].split(separator: UInt8(ascii: " "), maxSplits: 2)
    guard words.count >= 2, words[0].starts(with: "HTTP/1.".utf8), words[0].count == 8 else {
      throw Malformed()
    }
    let digits = words[1].filter { $0 != UInt8(ascii: "\r") }
    let isNumber = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard digits.count == 3, isNumber, let code = Int(String(decoding: digits, as: UTF8.self)) else {
      throw Malformed()
    }
    self.code = code
  }

  /// Whether the server has what was asked for, here or elsewhere.
  public var isSuccess: Bool { (200..<400).contains(code) }

  /// What came is no answer of HTTP/1.
  public struct Malformed: Error {}
}
