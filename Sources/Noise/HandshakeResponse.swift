/// The responder's handshake message (whitepaper §5.4.3).
public struct HandshakeResponse {
  /// Octets of the message.
  public static let size = 92
}
