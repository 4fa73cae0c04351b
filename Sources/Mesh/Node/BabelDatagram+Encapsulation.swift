internal import Net

// No kernel is between the speaker and its neighbours: the headers of Babel's packets are written and read here.
extension BabelDatagram {
  /// Octets of the IPv6 and UDP headers before the payload.
  static let overhead = 48

  /// CS6, the traffic class both stock daemons use for routing traffic.
  private static let trafficClass: UInt32 = 0xC0

  /// Wraps a Babel packet into IPv6 and UDP.
  ///
  /// The hop limit is 1; nobody checks it.
  static func encapsulate(
    _ payload: [UInt8], from source: IPv6Address, to destination: IPv6Address
  ) -> [UInt8] {
    let length = payload.count + 8
    var packet = ByteWriter(capacity: overhead + payload.count)
    packet.append(big32: 6 << 28 | trafficClass << 20)
    packet.append(big16: UInt16(length))
    packet.append(byte: 17)
    packet.append(byte: 1)
    packet.append(.v6(source))
    packet.append(.v6(destination))
    packet.append(big16: port)
    packet.append(big16: port)
    packet.append(big16: UInt16(length))
    packet.append(big16: 0)
    packet.append(contentsOf: payload)
    var checksum = Checksum()
    unsafe checksum.add(packet.bytes.span.bytes.extracting(40..<packet.count))
    checksum.addPseudoHeader(
      source: .v6(source), destination: .v6(destination), protocolNumber: 17, length: length)
    // Zero means "no checksum", which IPv6 forbids (RFC 8200 §8.1).
    packet.set(big16: checksum.value == 0 ? 0xFFFF : checksum.value, at: 46)
    return packet.bytes
  }
}
