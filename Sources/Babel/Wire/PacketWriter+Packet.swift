extension PacketWriter {
  /// A finished packet.
  struct Packet: Sendable, Equatable {
    /// Header and body.
    private(set) var octets: [UInt8]
    /// Where the Timestamp of its Hello is; `nil` without one.
    let timestampOffset: Int?

    init(octets: [UInt8], timestampOffset: Int?) {
      self.octets = octets
      self.timestampOffset = timestampOffset
      setLength()
    }

    /// Adds the counter of an authenticated packet (RFC 8967 §6.2).
    mutating func append(_ counter: AuthenticationTLVs.PacketCounter) {
      octets += [TLVType.packetCounter, UInt8(4 + counter.index.count)]
      for shift in [24, 16, 8, 0] as [UInt32] {
        octets.append(UInt8(truncatingIfNeeded: counter.value >> shift))
      }
      octets += counter.index
      setLength()
    }

    private mutating func setLength() {
      let length = octets.count - PacketReader.headerLength
      octets[2] = UInt8(length >> 8)
      octets[3] = UInt8(length & 0xFF)
    }
  }
}
