/// The initiator's handshake message (whitepaper §5.4.2).
public struct HandshakeInitiation {
  /// Octets of the message.
  public static let size = 148
}
