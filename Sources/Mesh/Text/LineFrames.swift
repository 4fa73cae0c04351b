/// Cuts the bytes of one connection into lines.
public struct LineFrames: Sendable {
  /// The longest line accepted, in octets; babeld's own buffer is as long.
  public static let limit = 1024

  private var buffer: [UInt8] = []
  private var start = 0

  /// Starts with nothing received.
  public init() {}

  /// Takes what the socket gave, after `next()` has given `nil`.
  ///
  /// Throws when a line is too long; the connection is of no use then.
  public mutating func append(_ bytes: some Collection<UInt8>) throws(UAPIError) {
    buffer.removeFirst(start)
    start = 0
    guard buffer.count <= Self.limit else {
      throw UAPIError(.invalidArgument, "the line is longer than \(Self.limit) octets")
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next complete line, without its newline; `nil` until there is one.
  public mutating func next() -> String? {
    guard let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    defer { start = end + 1 }
    return String(decoding: buffer[start..<end], as: UTF8.self)
  }
}
