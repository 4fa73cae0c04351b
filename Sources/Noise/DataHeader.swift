public import Net

/// The 16 octets before a sealed packet (whitepaper §5.4.6).
@frozen
public struct DataHeader: Hashable, Sendable, BitwiseCopyable {
  /// Octets of the header.
  public static var size: Int { 16 }
  /// Octets that a data message has beyond its plaintext, header and tag: the size of a keepalive.
  public static var overhead: Int { 32 }

  /// The receiver's name for the keypair.
  public var receiver: ReceiverIndex
  /// The nonce counter.
  public var counter: UInt64

  /// Makes a header.
  @inlinable
  public init(receiver: ReceiverIndex, counter: UInt64) {
    self.receiver = receiver
    self.counter = counter
  }

  /// Reads the header of a datagram; `nil` if it is not a whole data message.
  @inlinable
  public init?(reading datagram: RawSpan) {
    guard datagram.byteCount >= Self.overhead, datagram.little32(0) == MessageType.data.rawValue else {
      return nil
    }
    receiver = ReceiverIndex(datagram.little32(4))
    counter = datagram.little64(8)
  }

  /// Writes the 16 octets to the start of `message`, which must have them.
  @inlinable
  public func write(to message: inout MutableRawSpan) {
    message.set(little32: MessageType.data.rawValue, at: 0)
    message.set(little32: receiver.rawValue, at: 4)
    message.set(little64: counter, at: 8)
  }
}
