internal import Net

/// Where the headers of a TCP or UDP packet lie, checked against the octets that are there.
internal struct TransportLayout {
  /// A protocol whose packets can be cut and merged.
  enum Transport: UInt8 {
    case tcp = 6
    case udp = 17

    /// Where the checksum is in the header.
    var checksumOffset: Int { self == .tcp ? 16 : 6 }
  }

  let family: AddressFamily
  let transport: Transport
  /// Octets of the IP header with its options or extensions.
  let transportOffset: Int
  /// Octets of all headers.
  let payloadOffset: Int

  /// Reads the headers of a whole, unfragmented packet that is exactly as long as it says; `nil` if it is
  /// anything else.
  @inline(__always)
  init?(reading packet: RawSpan) {
    guard packet.byteCount >= 28 else { return nil }
    let number: UInt8
    switch packet.byte(0) >> 4 {
    case 4:
      family = .v4
      transportOffset = Int(packet.byte(0) & 0x0F) * 4
      // Neither more fragments nor an offset.
      guard transportOffset >= 20, Int(packet.big16(2)) == packet.byteCount, packet.big16(6) & 0x3FFF == 0
      else {
        return nil
      }
      number = packet.byte(9)
    case 6:
      family = .v6
      guard packet.byteCount >= 48, Int(packet.big16(4)) == packet.byteCount - 40 else { return nil }
      let direct = packet.byte(6)
      if Transport(rawValue: direct) != nil {
        number = direct
        transportOffset = 40
      } else {
        guard let last = Self.skipExtensions(of: packet) else { return nil }
        (number, transportOffset) = last
      }
    default:
      return nil
    }
    guard let transport = Transport(rawValue: number) else { return nil }
    self.transport = transport
    let rest = packet.byteCount - transportOffset
    switch transport {
    case .tcp:
      guard rest >= 20 else { return nil }
      let length = Int(packet.byte(transportOffset + 12) >> 4) * 4
      guard length >= 20, length <= rest else { return nil }
      payloadOffset = transportOffset + length
    case .udp:
      guard rest >= 8, Int(packet.big16(transportOffset + 4)) == rest else { return nil }
      payloadOffset = transportOffset + 8
    }
  }

  /// The protocol behind hop-by-hop options, routing header and destination options (RFC 8200 §4), and where
  /// it starts.
  private static func skipExtensions(of packet: RawSpan) -> (number: UInt8, offset: Int)? {
    var number = packet.byte(6)
    var offset = 40
    while number == 0 || number == 43 || number == 60 {
      guard packet.byteCount - offset >= 8 else { return nil }
      number = packet.byte(offset)
      offset += 8 * (Int(packet.byte(offset + 1)) + 1)
      guard offset <= packet.byteCount else { return nil }
    }
    return (number, offset)
  }

  /// The sum of the pseudo-header (RFC 793, RFC 8200 §8.1) for `length` octets of transport header and payload.
  ///
  /// With a routing header the destination is not the last one, but only its first hop checks that.
  @inline(__always)
  func pseudoHeader(of packet: RawSpan, length: Int) -> Checksum {
    var sum = Checksum()
    switch family {
    case .v4: sum.add(packet.extracting(12..<20))
    case .v6: sum.add(packet.extracting(8..<40))
    }
    sum.add(UInt16(transport.rawValue))
    sum.add(UInt16(truncatingIfNeeded: length))
    return sum
  }

  /// Whether the transport checksum is right.
  func isChecksumRight(of packet: RawSpan) -> Bool {
    var sum = pseudoHeader(of: packet, length: packet.byteCount - transportOffset)
    sum.add(packet.extracting(transportOffset...))
    return sum.value == 0
  }
}
