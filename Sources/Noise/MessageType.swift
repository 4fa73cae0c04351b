public import Net

/// The kind of a datagram, from its first four octets: the type and three reserved zeros, one little-endian word.
@frozen
public enum MessageType: UInt32, Sendable, BitwiseCopyable {
  /// The initiator's handshake message, 148 octets (whitepaper §5.4.2).
  case handshakeInitiation = 1
  /// The responder's handshake message, 92 octets (§5.4.3).
  case handshakeResponse = 2
  /// The answer of a responder under load, 64 octets (§5.4.7).
  case cookieReply = 3
  /// A sealed packet, or with nothing inside a keepalive; 32 octets and more (§5.4.6).
  case data = 4

  /// Classifies a datagram; `nil` for an unknown type or a length that its type cannot have.
  @inlinable
  public init?(_ datagram: RawSpan) {
    guard datagram.byteCount >= DataHeader.overhead, let type = MessageType(rawValue: datagram.little32(0))
    else { return nil }
    let isWhole =
      switch type {
      case .handshakeInitiation: datagram.byteCount == HandshakeInitiation.size
      case .handshakeResponse: datagram.byteCount == HandshakeResponse.size
      case .cookieReply: datagram.byteCount == CookieReply.size
      case .data: true
      }
    guard isWhole else { return nil }
    self = type
  }
}
