/// The answer of a responder under load (whitepaper §5.4.7).
public struct CookieReply {
  /// Octets of the message.
  public static let size = 64
}
