/// The input ended before the value did.
public struct Truncated: Error, Sendable {
  /// Makes the error.
  public init() {}
}

/// A bounds-checked cursor over bytes that came from elsewhere.
///
/// Reading past the end throws and moves nothing.
public struct ByteReader: ~Escapable {
  private let span: RawSpan
  /// The offset of the next byte.
  public private(set) var offset = 0

  /// Starts at the first byte of `span`.
  @_lifetime(copy span)
  public init(_ span: RawSpan) {
    self.span = span
  }

  /// The number of bytes not yet read.
  public var remaining: Int { span.byteCount - offset }

  /// Reads one byte.
  @_lifetime(self: copy self)
  public mutating func byte() throws(Truncated) -> UInt8 {
    let start = try take(1)
    return span.byte(start)
  }

  /// Reads a big-endian 16-bit number.
  @_lifetime(self: copy self)
  public mutating func big16() throws(Truncated) -> UInt16 {
    let start = try take(2)
    return span.big16(start)
  }

  /// Reads a big-endian 32-bit number.
  @_lifetime(self: copy self)
  public mutating func big32() throws(Truncated) -> UInt32 {
    let start = try take(4)
    return span.big32(start)
  }

  /// Reads a big-endian 64-bit number.
  @_lifetime(self: copy self)
  public mutating func big64() throws(Truncated) -> UInt64 {
    let start = try take(8)
    return span.big64(start)
  }

  /// Reads `count` bytes as a part of the same memory.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func bytes(_ count: Int) throws(Truncated) -> RawSpan {
    let start = try take(count)
    return span.extracting(start..<start + count)
  }

  /// Moves over `count` bytes.
  @_lifetime(self: copy self)
  public mutating func skip(_ count: Int) throws(Truncated) {
    _ = try take(count)
  }

  @_lifetime(self: copy self)
  private mutating func take(_ count: Int) throws(Truncated) -> Int {
    guard count >= 0, count <= remaining else { throw Truncated() }
    defer { offset += count }
    return offset
  }
}
