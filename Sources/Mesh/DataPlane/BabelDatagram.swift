internal import Net

/// Which opened packets are Babel's, and which others stay on the link they came from (RFC 8966 §4).
internal enum BabelDatagram {
  static let port: UInt16 = 6696
  /// ff02::1:6.
  static let group = IPv6Address(high: 0xFF02_0000_0000_0000, low: 0x1_0006)

  /// Whether `packet` is a Babel packet for us: IPv6 and UDP without extension headers, both ports Babel's, from a
  /// link-local address, to the group or to our own link-local address, whole, with a correct checksum.
  static func matches(_ packet: RawSpan, _ header: IPHeader, linkLocal: IPv6Address?) -> Bool {
    guard case .v6(let source) = header.source, case .v6(let destination) = header.destination,
      header.protocolNumber == 17, source.isLinkLocal, destination == group || destination == linkLocal,
      header.totalLength >= 48
    else { return false }
    let datagram = packet.extracting(40..<header.totalLength)
    guard datagram.big16(0) == port, datagram.big16(2) == port,
      Int(datagram.big16(4)) == datagram.byteCount, datagram.big16(6) != 0
    else { return false }
    var checksum = Checksum()
    checksum.add(datagram)
    checksum.addPseudoHeader(
      source: header.source, destination: header.destination, protocolNumber: 17,
      length: datagram.byteCount)
    return checksum.value == 0
  }
}

extension IPAddress {
  /// Whether packets to this address never leave the link: link-local unicast, and multicast of link scope or less.
  internal var isLinkScoped: Bool {
    switch self {
    case .v4(let address): address.isLinkLocal || address.bits >> 8 == 0xE0_0000
    case .v6(let address): address.isLinkLocal || (address.isMulticast && address.high >> 48 & 0xF <= 2)
    }
  }
}
