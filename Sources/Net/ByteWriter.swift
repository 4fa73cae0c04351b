/// Builds a message, most significant byte first.
///
/// For control messages; packets are written in place.
public struct ByteWriter: Sendable {
  /// What has been written.
  public private(set) var bytes: [UInt8]

  /// Starts empty, with room for `capacity` bytes.
  public init(capacity: Int = 64) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// The number of bytes written.
  public var count: Int { bytes.count }

  /// Appends one byte.
  public mutating func append(byte value: UInt8) {
    bytes.append(value)
  }

  /// Appends a 16-bit number, big-endian.
  public mutating func append(big16 value: UInt16) {
    bytes.append(UInt8(value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  /// Appends a 32-bit number, big-endian.
  public mutating func append(big32 value: UInt32) {
    append(big16: UInt16(value >> 16))
    append(big16: UInt16(truncatingIfNeeded: value))
  }

  /// Appends a 64-bit number, big-endian.
  public mutating func append(big64 value: UInt64) {
    append(big32: UInt32(value >> 32))
    append(big32: UInt32(truncatingIfNeeded: value))
  }

  /// Appends bytes as they are.
  public mutating func append(contentsOf other: some Sequence<UInt8>) {
    bytes.append(contentsOf: other)
  }

  /// Appends all 4 or 16 octets of an address.
  public mutating func append(_ address: IPAddress) {
    switch address {
    case .v4(let a): append(big32: a.bits)
    case .v6(let a):
      append(big64: a.high)
      append(big64: a.low)
    }
  }

  /// Overwrites the 16-bit number at `offset`, which must have been written before.
  public mutating func set(big16 value: UInt16, at offset: Int) {
    bytes[offset] = UInt8(value >> 8)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
  }
}
