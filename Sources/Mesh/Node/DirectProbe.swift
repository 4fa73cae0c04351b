internal import Net

/// Asks a peer whether it takes packets from us directly, and its answer: a Babel packet with one TLV of meshd's own.
///
/// The TLV has type 225, which is for experiments, and a body of flags (0x80 is an answer), a reserved octet, a nonce of
/// four octets, and addresses, each behind its encoding: 1 and four octets, or 2 and sixteen. A question has the addresses
/// that packets would come from, an answer those among them that would be accepted.
struct DirectProbe: Equatable {
  private static let type: UInt8 = 225
  private static let answerFlag: UInt8 = 0x80
  private static let bodyOffset = 6
  private static let addressOffset = 12
  /// Addresses in one question; further ones do without shortcuts.
  static let capacity = 8

  /// Whether it is an answer.
  var isAnswer: Bool
  /// What question and answer have in common.
  var nonce: UInt32
  /// What packets would come from.
  var addresses: [IPAddress]

  init(isAnswer: Bool, nonce: UInt32, addresses: [IPAddress]) {
    self.isAnswer = isAnswer
    self.nonce = nonce
    self.addresses = addresses
  }

  /// Reads the UDP payload of a packet to Babel's port; `nil` if it is anything else.
  init?(reading payload: RawSpan) {
    guard payload.byteCount >= Self.addressOffset, payload.byte(0) == 42, payload.byte(1) == 2,
      payload.byte(4) == Self.type, Int(payload.big16(2)) == payload.byteCount - 4,
      Int(payload.byte(5)) == payload.byteCount - Self.bodyOffset
    else { return nil }
    isAnswer = payload.byte(6) & Self.answerFlag != 0
    nonce = payload.big32(8)
    addresses = []
    var offset = Self.addressOffset
    while offset < payload.byteCount {
      let length = payload.byte(offset) == 1 ? 4 : 16
      guard (1...2).contains(payload.byte(offset)), offset + 1 + length <= payload.byteCount,
        addresses.count < Self.capacity
      else { return nil }
      addresses.append(
        length == 4
          ? .v4(IPv4Address(bits: payload.big32(offset + 1)))
          : .v6(IPv6Address(high: payload.big64(offset + 1), low: payload.big64(offset + 9))))
      offset += 1 + length
    }
  }

  /// The UDP payload.
  var payload: [UInt8] {
    let body = 6 + addresses.reduce(0) { $0 + 1 + $1.family.bitWidth / 8 }
    var packet = ByteWriter(capacity: Self.bodyOffset + body)
    packet.append(byte: 42)
    packet.append(byte: 2)
    packet.append(big16: UInt16(body + 2))
    packet.append(byte: Self.type)
    packet.append(byte: UInt8(body))
    packet.append(byte: isAnswer ? Self.answerFlag : 0)
    packet.append(byte: 0)
    packet.append(big32: nonce)
    for address in addresses {
      packet.append(byte: address.family == .v4 ? 1 : 2)
      packet.append(address)
    }
    return packet.bytes
  }
}
