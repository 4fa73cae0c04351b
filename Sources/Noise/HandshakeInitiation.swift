internal import Net

/// The initiator's handshake message (whitepaper §5.4.2).
///
///      0  type 1                 4  sender index        8  ephemeral key, 32
///     40  sealed static, 48     88  sealed timestamp, 28
///    116  mac1, 16             132  mac2, 16
public struct HandshakeInitiation: Sendable {
  /// Octets of the message.
  public static let size = 148
  /// Octets before mac1, which mac1 covers; mac2 covers mac1 as well.
  static let authenticatedSize = size - 2 * MAC.size

  /// What the initiator calls the session to be.
  public var sender: ReceiverIndex
  var noise: NoiseInitiation
  var mac1: MAC

  /// Reads a datagram, whose macs are the gate's business; `nil` if it is anything else.
  public init?(reading datagram: RawSpan) {
    guard MessageType(datagram) == .handshakeInitiation else { return nil }
    sender = ReceiverIndex(datagram.little32(4))
    noise = NoiseInitiation(
      ephemeral: PublicKey(datagram.extracting(8..<40)),
      sealedStatic: datagram.extracting(40..<88).octets,
      sealedPayload: datagram.extracting(88..<Self.authenticatedSize).octets)
    mac1 = MAC(datagram.extracting(Self.authenticatedSize..<Self.size))
  }

  /// The octets before the macs.
  static func encode(sender: ReceiverIndex, _ noise: NoiseInitiation) -> [UInt8] {
    var writer = ByteWriter(capacity: size)
    writer.append(little32: MessageType.handshakeInitiation.rawValue)
    writer.append(little32: sender.rawValue)
    writer.append(contentsOf: noise.ephemeral.bytes)
    writer.append(contentsOf: noise.sealedStatic)
    writer.append(contentsOf: noise.sealedPayload)
    return writer.bytes
  }
}
