/// The number that says for whom a message is: 32 random bits, unique in the device (whitepaper §5.4).
@frozen
public struct ReceiverIndex: Hashable, Sendable, BitwiseCopyable {
  /// The number as it stands on the wire, little-endian.
  public var rawValue: UInt32

  /// Makes the index with this number.
  @inlinable
  public init(_ rawValue: UInt32) {
    self.rawValue = rawValue
  }
}
