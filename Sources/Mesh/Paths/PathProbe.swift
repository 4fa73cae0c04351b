internal import Net

/// Asks a peer to answer by the way it was asked, and that answer: a Babel packet with one TLV of meshd's own.
///
/// The TLV has type 226, which is for experiments, and a body of flags (0x80 is an answer), a reserved octet, the size of
/// the question's IP packet in two octets and a nonce of four. A question may be as long as a packet shall be that the
/// path carries whole: what follows the body of a Babel packet is its trailer (RFC 8966 §4.2), here zeros.
///
/// Lanes recognise both, since they say nothing about the path that the peer prefers (`decisions.md` 20).
struct PathProbe: Equatable {
  private static let type: UInt8 = 226
  private static let answerFlag: UInt8 = 0x80
  private static let length: UInt8 = 8
  /// Octets of the Babel header and the TLV.
  private static let size = 14
  /// Octets of the smallest packet that asks.
  static let packetSize = BabelDatagram.overhead + size

  /// Whether it is an answer.
  var isAnswer: Bool
  /// What question and answer have in common.
  var nonce: UInt32
  /// The octets of the question's IP packet.
  var packetSize: Int

  init(isAnswer: Bool, nonce: UInt32, packetSize: Int = Self.packetSize) {
    self.isAnswer = isAnswer
    self.nonce = nonce
    self.packetSize = packetSize
  }

  /// Reads the UDP payload of a packet to Babel's port; `nil` if it is anything else.
  init?(reading payload: RawSpan) {
    guard payload.byteCount >= Self.size, payload.byte(0) == 42, payload.byte(1) == 2,
      payload.big16(2) == UInt16(Self.length) + 2, payload.byte(4) == Self.type,
      payload.byte(5) == Self.length
    else { return nil }
    isAnswer = payload.byte(6) & Self.answerFlag != 0
    packetSize = Int(payload.big16(8))
    nonce = payload.big32(10)
  }

  /// The UDP payload.
  var payload: [UInt8] {
    let padding = isAnswer ? 0 : max(0, packetSize - Self.packetSize)
    var packet = ByteWriter(capacity: Self.size + padding)
    packet.append(byte: 42)
    packet.append(byte: 2)
    packet.append(big16: UInt16(Self.length) + 2)
    packet.append(byte: Self.type)
    packet.append(byte: Self.length)
    packet.append(byte: isAnswer ? Self.answerFlag : 0)
    packet.append(byte: 0)
    packet.append(big16: UInt16(clamping: packetSize))
    packet.append(big32: nonce)
    if padding > 0 { packet.append(contentsOf: Array(repeating: 0, count: padding)) }
    return packet.bytes
  }

  /// Whether an opened packet is one, as far as its fixed octets tell: IPv6 without extension headers, UDP between Babel's
  /// ports, and the TLV first.
  static func matches(_ packet: RawSpan) -> Bool {
    guard packet.byteCount >= packetSize, packet.byte(0) >> 4 == 6, packet.byte(6) == 17,
      packet.big16(40) == BabelDatagram.port, packet.big16(42) == BabelDatagram.port
    else { return false }
    return packet.byte(BabelDatagram.overhead + 4) == type
  }
}
