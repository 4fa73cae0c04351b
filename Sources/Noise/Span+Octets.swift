internal import Net

// The one place where the module's spans become pointers for C functions.

extension RawSpan {
  /// Calls `body` with the address of the octets; an empty span has one that must not be read.
  func withOctets<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    unsafe withUnsafeBytes {
      guard let start = $0.baseAddress else {
        let nothing: UInt8 = 0
        return unsafe withUnsafePointer(to: nothing, body)
      }
      return unsafe body(start.assumingMemoryBound(to: UInt8.self))
    }
  }
}

extension MutableSpan where Element == UInt8 {
  /// Calls `body` with the address of the octets, of which there must be one.
  @_lifetime(self: copy self)
  mutating func withMutableOctets<Result>(_ body: (UnsafeMutablePointer<UInt8>) -> Result) -> Result {
    precondition(!isEmpty)
    // Checked above.
    return unsafe withUnsafeMutableBufferPointer { unsafe body($0.baseAddress.unsafelyUnwrapped) }
  }
}

extension InlineArray where Element == UInt8 {
  /// The octets, to read.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(span.bytes, borrowing: self) }
  }
}

extension [UInt8] {
  /// The octets, to read.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get { unsafe _overrideLifetime(span.bytes, borrowing: self) }
  }
}

extension RawSpan {
  /// A copy of the octets.
  var octets: [UInt8] { (0..<byteCount).map { byte($0) } }
}

extension ByteWriter {
  /// Appends a 32-bit number, little-endian as all numbers of WireGuard.
  mutating func append(little32 value: UInt32) {
    append(big32: value.byteSwapped)
  }
}
