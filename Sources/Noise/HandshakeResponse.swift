internal import Net

/// The responder's handshake message (whitepaper §5.4.3).
///
///      0  type 2               4  sender index         8  receiver index
///     12  ephemeral key, 32   44  sealed nothing, 16
///     60  mac1, 16            76  mac2, 16
public struct HandshakeResponse: Sendable {
  /// Octets of the message.
  public static let size = 92
  /// Octets before mac1, which mac1 covers; mac2 covers mac1 as well.
  static let authenticatedSize = size - 2 * MAC.size

  /// What the responder calls the session.
  public var sender: ReceiverIndex
  /// What the initiator called it in the message that this answers.
  public var receiver: ReceiverIndex
  var noise: NoiseResponse

  /// Reads a datagram, whose macs are the gate's business; `nil` if it is anything else.
  public init?(reading datagram: RawSpan) {
    guard MessageType(datagram) == .handshakeResponse else { return nil }
    sender = ReceiverIndex(datagram.little32(4))
    receiver = ReceiverIndex(datagram.little32(8))
    noise = NoiseResponse(
      ephemeral: PublicKey(datagram.extracting(12..<44)),
      sealedPayload: datagram.extracting(44..<Self.authenticatedSize).octets)
  }

  /// The octets before the macs.
  static func encode(sender: ReceiverIndex, receiver: ReceiverIndex, _ noise: NoiseResponse) -> [UInt8] {
    var writer = ByteWriter(capacity: size)
    writer.append(little32: MessageType.handshakeResponse.rawValue)
    writer.append(little32: sender.rawValue)
    writer.append(little32: receiver.rawValue)
    writer.append(contentsOf: noise.ephemeral.bytes)
    writer.append(contentsOf: noise.sealedPayload)
    return writer.bytes
  }
}
