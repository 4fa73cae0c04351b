internal import Net

/// What a packet says about its own authenticity (RFC 8967 §6), read before anything else in it.
struct AuthenticationTLVs {
  /// The longest index and nonce allowed (§6.2, §6.3).
  private static let longestIndex = 32
  private static let longestNonce = 192

  /// The MACs in the trailer.
  private(set) var macs: [[UInt8]] = []
  /// The counter of the packet and the index of its sender's life; `nil` without, or with a malformed one.
  private(set) var counter: PacketCounter?
  /// The nonce that shall be sent back.
  private(set) var request: [UInt8]?
  /// The nonces sent back.
  private(set) var replies: [[UInt8]] = []
  /// Octets of header and body, which is what MACs cover.
  let coveredCount: Int

  /// Reads a packet; `nil` if it is no Babel packet.
  init?(_ packet: RawSpan) {
    guard packet.byteCount >= PacketReader.headerLength, packet.byte(0) == PacketReader.magic,
      packet.byte(1) == PacketReader.version
    else { return nil }
    coveredCount = PacketReader.headerLength + Int(packet.big16(2))
    guard coveredCount <= packet.byteCount else { return nil }
    forEachTLV(in: packet.extracting(PacketReader.headerLength..<coveredCount)) { type, body in
      switch type {
      case TLVType.packetCounter where counter == nil: counter = PacketCounter(reading: body)
      case TLVType.challengeRequest where request == nil && body.byteCount <= Self.longestNonce:
        request = body.octets
      case TLVType.challengeReply where body.byteCount <= Self.longestNonce: replies.append(body.octets)
      default: break
      }
    }
    forEachTLV(in: packet.extracting(coveredCount..<packet.byteCount)) { type, body in
      if type == TLVType.mac { macs.append(body.octets) }
    }
  }

  /// The counter of one packet (§6.2).
  struct PacketCounter: Sendable, Equatable {
    /// Grows with every packet of one index.
    var value: UInt32
    /// Drawn anew when the counter starts anew.
    var index: [UInt8]

    init(value: UInt32, index: [UInt8]) {
      self.value = value
      self.index = index
    }

    fileprivate init?(reading body: RawSpan) {
      guard (4...4 + longestIndex).contains(body.byteCount) else { return nil }
      value = body.big32(0)
      index = body.extracting(4..<body.byteCount).octets
    }
  }

  /// What MACs are computed of: addresses and ports, then header and body (§4.1).
  static func message(from source: IPv6Address, to destination: IPv6Address, _ covered: RawSpan) -> [UInt8] {
    var message: [UInt8] = []
    message.reserveCapacity(36 + covered.byteCount)
    for address in [source, destination] {
      let bits = UInt128(leading: .v6(address))
      for index in 0..<16 { message.append(bits.octet(index)) }
      message.append(UInt8(port >> 8))
      message.append(UInt8(port & 0xFF))
    }
    for index in 0..<covered.byteCount { message.append(covered.byte(index)) }
    return message
  }

  private static let port: UInt16 = 6696
}

/// Calls `body` with type and body of each TLV, up to the first that does not fit.
private func forEachTLV(in area: RawSpan, _ body: (UInt8, RawSpan) -> Void) {
  var offset = 0
  while offset < area.byteCount {
    let type = area.byte(offset)
    guard type != TLVType.pad1 else {
      offset += 1
      continue
    }
    let start = offset + 2
    guard start <= area.byteCount, start + Int(area.byte(offset + 1)) <= area.byteCount else { return }
    offset = start + Int(area.byte(offset + 1))
    body(type, area.extracting(start..<offset))
  }
}

extension RawSpan {
  /// A copy of the octets.
  fileprivate var octets: [UInt8] { (0..<byteCount).map { byte($0) } }
}
