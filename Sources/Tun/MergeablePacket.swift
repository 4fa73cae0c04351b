internal import Net

/// A TCP segment or UDP datagram without IP options, as merging sees it.
internal struct MergeablePacket {
  let layout: TransportLayout
  let payloadLength: Int
  /// TCP: the sequence number.
  let sequence: UInt32
  /// TCP: the flags; none for UDP.
  let flags: TCPFlags
  /// IPv4: the identification.
  let identification: UInt16

  /// Reads the headers; `nil` for every other packet.
  @inline(__always)
  init?(reading packet: RawSpan) {
    guard let layout = TransportLayout(reading: packet),
      layout.transportOffset == (layout.family == .v4 ? 20 : 40)
    else { return nil }
    self.layout = layout
    payloadLength = packet.byteCount - layout.payloadOffset
    identification = layout.family == .v4 ? packet.big16(4) : 0
    switch layout.transport {
    case .tcp:
      sequence = packet.big32(layout.transportOffset + 4)
      flags = TCPFlags(rawValue: packet.byte(layout.transportOffset + 13))
    case .udp:
      sequence = 0
      flags = TCPFlags(rawValue: 0)
    }
  }

  /// A number that is the same for all packets of a flow.
  func flowHash(of packet: RawSpan) -> UInt64 {
    let ports = UInt64(packet.big32(layout.transportOffset))
    let addresses =
      layout.family == .v4 ? packet.big64(12) : packet.big64(16) ^ packet.big64(32) &* 3
    let mixed = (addresses ^ ports &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
    return mixed >> 32
  }

  /// Whether the packet carries something and says nothing that concerns it alone.
  ///
  /// A UDP datagram without a checksum would get one.
  func mayBeMerged(in packet: RawSpan) -> Bool {
    guard payloadLength > 0 else { return false }
    switch layout.transport {
    case .tcp:
      return flags.contains(.acknowledgment) && flags.isSubset(of: .mergeable)
    case .udp:
      return packet.big16(layout.transportOffset + 6) != 0
    }
  }

  /// Whether both packets are of one flow.
  @inline(__always)
  func isSameFlow(as other: MergeablePacket, _ packet: RawSpan, _ otherPacket: RawSpan) -> Bool {
    guard layout.family == other.layout.family, layout.transport == other.layout.transport else {
      return false
    }
    switch layout.family {
    case .v4:
      return packet.big64(12) == otherPacket.big64(12) && packet.big32(20) == otherPacket.big32(20)
    case .v6:
      return packet.big32(40) == otherPacket.big32(40) && packet.big64(8) == otherPacket.big64(8)
        && packet.big64(16) == otherPacket.big64(16) && packet.big64(24) == otherPacket.big64(24)
        && packet.big64(32) == otherPacket.big64(32)
    }
  }

  /// Whether the headers of two packets of one flow differ in nothing but what merging can restore.
  ///
  /// `packet` is the later one; its sequence, identification and length are the caller's business, and it may have PSH.
  @inline(__always)
  func hasHeaders(like other: MergeablePacket, _ packet: RawSpan, _ otherPacket: RawSpan) -> Bool {
    switch layout.family {
    case .v4:
      // Version and TOS; flags; TTL and protocol.
      guard packet.big16(0) == otherPacket.big16(0), packet.byte(6) == otherPacket.byte(6),
        packet.big16(8) == otherPacket.big16(8)
      else { return false }
    case .v6:
      guard packet.big32(0) == otherPacket.big32(0), packet.big16(6) == otherPacket.big16(6) else {
        return false
      }
    }
    guard layout.transport == .tcp else { return true }
    guard layout.payloadOffset == other.layout.payloadOffset,
      flags.subtracting(.push) == other.flags.subtracting(.varying)
    else { return false }
    let start = layout.transportOffset
    // Acknowledgment; length and reserved bits; window; urgent pointer; options.
    guard packet.big32(start + 8) == otherPacket.big32(start + 8),
      packet.byte(start + 12) == otherPacket.byte(start + 12),
      packet.big16(start + 14) == otherPacket.big16(start + 14),
      packet.big16(start + 18) == otherPacket.big16(start + 18)
    else { return false }
    for offset in stride(from: start + 20, to: layout.payloadOffset, by: 4)
    where packet.big32(offset) != otherPacket.big32(offset) {
      return false
    }
    return true
  }

  /// Whether nothing happened to the packet on its way: the checksums of IPv4 and of the transport.
  func isIntact(in packet: RawSpan) -> Bool {
    if layout.family == .v4 {
      var sum = Checksum()
      sum.add(packet.extracting(0..<20))
      guard sum.value == 0 else { return false }
    }
    return layout.isChecksumRight(of: packet)
  }
}
