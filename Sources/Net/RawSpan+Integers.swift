// Checked loads and stores at byte offsets. An offset outside the span traps: callers check lengths first, readers of
// foreign input use `ByteReader`, which throws.

extension RawSpan {
  /// The byte at `offset`.
  @inlinable
  public func byte(_ offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

  /// The big-endian 16-bit number at `offset`.
  @inlinable
  public func big16(_ offset: Int) -> UInt16 {
    UInt16(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  /// The big-endian 32-bit number at `offset`.
  @inlinable
  public func big32(_ offset: Int) -> UInt32 {
    UInt32(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  /// The big-endian 64-bit number at `offset`.
  @inlinable
  public func big64(_ offset: Int) -> UInt64 {
    UInt64(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The little-endian 32-bit number at `offset`.
  @inlinable
  public func little32(_ offset: Int) -> UInt32 {
    UInt32(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  /// The little-endian 64-bit number at `offset`.
  @inlinable
  public func little64(_ offset: Int) -> UInt64 {
    UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}

extension MutableRawSpan {
  /// Copies `source` to `offset`; it must fit.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func copy(_ source: RawSpan, to offset: Int) {
    precondition(offset >= 0 && source.byteCount <= byteCount - offset)
    unsafe source.withUnsafeBytes { octets in
      unsafe withUnsafeMutableBytes {
        unsafe UnsafeMutableRawBufferPointer(rebasing: $0[offset...]).copyMemory(from: octets)
      }
    }
  }

  /// Writes the byte at `offset`.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func set(byte value: UInt8, at offset: Int) {
    storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
  }

  /// Writes a big-endian 16-bit number at `offset`.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func set(big16 value: UInt16, at offset: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
  }

  /// Writes a big-endian 32-bit number at `offset`.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func set(big32 value: UInt32, at offset: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
  }

  /// Writes a big-endian 64-bit number at `offset`.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func set(big64 value: UInt64, at offset: Int) {
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt64.self)
  }

  /// Writes a little-endian 32-bit number at `offset`.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func set(little32 value: UInt32, at offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
  }

  /// Writes a little-endian 64-bit number at `offset`.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func set(little64 value: UInt64, at offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
  }
}
