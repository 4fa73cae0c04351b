internal import Net

/// The answer of a responder under load (whitepaper §5.4.7).
///
///      0  type 3   4  receiver index   8  nonce, 24   32  sealed cookie, 32
public struct CookieReply: Sendable {
  /// Octets of the message.
  public static let size = 64

  /// What the receiver called the session in the message that this answers.
  public var receiver: ReceiverIndex
  var nonce: XChaCha20Poly1305.Nonce
  var sealedCookie: [UInt8]

  /// Reads a datagram; `nil` if it is anything else.
  public init?(reading datagram: RawSpan) {
    guard MessageType(datagram) == .cookieReply else { return nil }
    receiver = ReceiverIndex(datagram.little32(4))
    nonce = XChaCha20Poly1305.Nonce { datagram.byte(8 + $0) }
    sealedCookie = datagram.extracting(32..<Self.size).octets
  }

  /// Seals `cookie` for the sender of a message with this index and mac1.
  init(
    receiver: ReceiverIndex, cookie: MAC, mac1: MAC, key: RawSpan,
    using random: inout some RandomNumberGenerator
  ) {
    self.receiver = receiver
    nonce = XChaCha20Poly1305.Nonce(repeating: 0)
    for index in nonce.indices { nonce[index] = UInt8.random(in: .min ... .max, using: &random) }
    sealedCookie = XChaCha20Poly1305.seal(
      cookie.octets.bytes, additional: mac1.octets.bytes, nonce: nonce, key: key)
  }

  /// The message as octets.
  var bytes: [UInt8] {
    var writer = ByteWriter(capacity: Self.size)
    writer.append(little32: MessageType.cookieReply.rawValue)
    writer.append(little32: receiver.rawValue)
    for index in nonce.indices { writer.append(byte: nonce[index]) }
    writer.append(contentsOf: sealedCookie)
    return writer.bytes
  }

  /// The cookie, if this answers the message with `mac1`.
  func open(mac1: MAC, key: RawSpan) -> MAC? {
    let cookie = XChaCha20Poly1305.open(
      sealedCookie.bytes, additional: mac1.octets.bytes, nonce: nonce, key: key)
    return cookie.map { MAC($0.bytes) }
  }
}
