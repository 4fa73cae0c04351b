/// Cuts the bytes of one UAPI connection into requests: each ends with an empty line, several may follow each
/// other.
public struct UAPIFrames: Sendable {
  /// The longest request accepted, 16 MiB.
  public static let limit = 16 << 20

  private var buffer: [UInt8] = []
  private var start = 0
  private var scanned = 0

  /// Starts with nothing received.
  public init() {}

  /// Whether a request has begun and not ended.
  public var isInsideRequest: Bool { start < buffer.count }

  /// Takes what the socket gave, after `next()` has given `nil`.
  ///
  /// Throws when a request is too long; the connection is of no use then.
  public mutating func append(_ bytes: some Collection<UInt8>) throws(UAPIError) {
    if start > 0 {
      buffer.removeFirst(start)
      scanned -= start
      start = 0
    }
    buffer.append(contentsOf: bytes)
    guard buffer.count <= Self.limit else {
      throw UAPIError(.invalidArgument, "the request is longer than 16 MiB")
    }
  }

  /// The next complete request, without its empty line; `nil` until there is one.
  public mutating func next() -> String? {
    let newline = UInt8(ascii: "\n")
    var index = scanned
    while index < buffer.count {
      let endsEmptyLine = buffer[index] == newline && (index == start || buffer[index - 1] == newline)
      guard endsEmptyLine else {
        index += 1
        continue
      }
      let text = String(decoding: buffer[start..<max(start, index - 1)], as: UTF8.self)
      start = index + 1
      scanned = start
      return text
    }
    scanned = index
    return nil
  }
}
