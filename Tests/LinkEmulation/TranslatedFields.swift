import Net

/// Where an IPv4 packet names the party inside, and how to name it otherwise.
struct TranslatedFields {
  /// The half of the header that names the party inside.
  enum Side {
    case source, destination
  }

  let transport: NATTable.Transport
  /// The port or identifier of the party inside.
  let port: UInt16
  /// The port of the remote; 0 for ICMP.
  let otherPort: UInt16
  private let addressOffset: Int
  private let portOffset: Int
  private let checksumOffset: Int

  /// Finds the fields of a whole packet; `nil` if it is a fragment or carries neither UDP nor ICMP echo.
  init?(_ packet: RawSpan, _ header: IPHeader, naming side: Side) {
    let isFragment = packet.big16(6) & 0x3FFF != 0
    guard !isFragment, header.totalLength >= header.headerLength + 8 else { return nil }
    self.init(packet, protocolNumber: header.protocolNumber, at: header.headerLength, naming: side)
  }

  /// Finds the fields of a packet whose eight octets after the IP header, at `start`, are known to be there.
  init?(_ packet: RawSpan, protocolNumber: UInt8, at start: Int, naming side: Side) {
    guard let transport = NATTable.Transport(rawValue: protocolNumber) else { return nil }
    self.transport = transport
    addressOffset = side == .source ? 12 : 16
    switch transport {
    case .udp:
      portOffset = side == .source ? start : start + 2
      otherPort = packet.big16(side == .source ? start + 2 : start)
      checksumOffset = start + 6
    case .icmp:
      let isEcho = packet.byte(start) == 0 || packet.byte(start) == 8
      guard isEcho else { return nil }
      portOffset = start + 4
      otherPort = 0
      checksumOffset = start + 2
    }
    port = packet.big16(portOffset)
  }

  /// Names another party and mends the checksums.
  func rewrite(_ packet: inout MutableRawSpan, address: IPv4Address, port: UInt16) {
    let old = packet.bytes.big32(addressOffset)
    packet.setIPv4(address: address, at: addressOffset)
    var checksum = packet.bytes.big16(checksumOffset)
    // A UDP datagram may do without (RFC 768).
    if transport == .icmp || checksum != 0 {
      checksum = Checksum.updated(checksum, from: self.port, to: port)
      if transport == .udp {
        checksum = Checksum.updated(checksum, from: old, to: address.bits)
        if checksum == 0 { checksum = .max }
      }
      packet.set(big16: checksum, at: checksumOffset)
    }
    packet.set(big16: port, at: portOffset)
  }
}

extension MutableRawSpan {
  /// Changes an address of an IPv4 header and mends the header's checksum.
  mutating func setIPv4(address: IPv4Address, at offset: Int) {
    let old = bytes.big32(offset)
    set(big16: Checksum.updated(bytes.big16(10), from: old, to: address.bits), at: 10)
    set(big32: address.bits, at: offset)
  }
}

extension Checksum {
  /// A checksum after two words under it changed.
  fileprivate static func updated(_ checksum: UInt16, from old: UInt32, to new: UInt32) -> UInt16 {
    let halfway = updated(checksum, from: UInt16(old >> 16), to: UInt16(new >> 16))
    return updated(halfway, from: UInt16(truncatingIfNeeded: old), to: UInt16(truncatingIfNeeded: new))
  }
}
