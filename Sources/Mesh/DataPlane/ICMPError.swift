public import Net

/// An ICMP or ICMPv6 error about a packet that could not be forwarded (RFC 792, RFC 1812 §4.3, RFC 4443 §3).
public enum ICMPError: Sendable, Hashable {
  /// TTL or hop limit ran out in transit.
  case hopLimitExceeded
  /// No route to the destination.
  case noRoute
  /// The destination, or the peer that has it, cannot be reached.
  case hostUnreachable
  /// Forwarding is forbidden here.
  case prohibited
  /// The packet is larger than the way on takes, in octets.
  case packetTooBig(mtu: Int)

  /// The largest message made: every IPv6 link carries it.
  public static let maximumLength = 1280
  /// Octets of an IPv4 error; some hosts take no more (RFC 1812 §4.3.2.3).
  private static let maximumLengthIPv4 = 576

  /// Writes the error about `packet` to the start of `output`, which must hold `maximumLength` octets; returns the length
  /// of the message. `nil` when none may be sent: about errors, about packets to or from no single host, and about
  /// fragments other than the first.
  public func write(about packet: RawSpan, from source: IPAddress, to output: inout MutableRawSpan) -> Int? {
    guard let header = IPHeader(reading: packet), Self.mayAnswer(packet, header) else { return nil }
    switch (source, header.source) {
    case (.v4, .v4): return writeIPv4(packet, header, from: source, to: &output)
    case (.v6, .v6): return writeIPv6(packet, header, from: source, to: &output)
    default: return nil
    }
  }

  private func writeIPv4(
    _ packet: RawSpan, _ header: IPHeader, from source: IPAddress, to output: inout MutableRawSpan
  ) -> Int {
    let (type, code, rest): (UInt8, UInt8, UInt32) =
      switch self {
      case .hopLimitExceeded: (11, 0, 0)
      case .noRoute: (3, 0, 0)
      case .hostUnreachable: (3, 1, 0)
      case .prohibited: (3, 13, 0)
      case .packetTooBig(let mtu): (3, 4, UInt32(clamping: mtu))
      }
    let quoted = min(header.totalLength, Self.maximumLengthIPv4 - 28)
    let length = 28 + quoted
    output.set(big16: 0x45C0, at: 0)
    output.set(big16: UInt16(length), at: 2)
    output.set(big32: 0, at: 4)
    output.set(big16: 0x4001, at: 8)
    output.set(big16: 0, at: 10)
    output.set(address: source, at: 12)
    output.set(address: header.source, at: 16)
    output.set(big16: output.checksum(0..<20, pseudoHeader: nil), at: 10)
    output.copy(packet, count: quoted, to: 28)
    output.setICMP(type: type, code: code, rest: rest, at: 20)
    output.set(big16: output.checksum(20..<length, pseudoHeader: nil), at: 22)
    return length
  }

  private func writeIPv6(
    _ packet: RawSpan, _ header: IPHeader, from source: IPAddress, to output: inout MutableRawSpan
  ) -> Int {
    let (type, code, rest): (UInt8, UInt8, UInt32) =
      switch self {
      case .hopLimitExceeded: (3, 0, 0)
      case .noRoute: (1, 0, 0)
      case .hostUnreachable: (1, 3, 0)
      case .prohibited: (1, 1, 0)
      case .packetTooBig(let mtu): (2, 0, UInt32(clamping: mtu))
      }
    let quoted = min(header.totalLength, Self.maximumLength - 48)
    let length = 48 + quoted
    output.set(big32: 0x6000_0000, at: 0)
    output.set(big16: UInt16(8 + quoted), at: 4)
    output.set(big16: 0x3A40, at: 6)
    output.set(address: source, at: 8)
    output.set(address: header.source, at: 24)
    output.copy(packet, count: quoted, to: 48)
    output.setICMP(type: type, code: code, rest: rest, at: 40)
    output.set(big16: output.checksum(40..<length, pseudoHeader: (source, header.source)), at: 42)
    return length
  }
}

extension ICMPError {
  /// Whether a packet is an ICMP error itself: no error answers it, and the source check lets it pass.
  internal static func isError(_ packet: RawSpan, _ header: IPHeader) -> Bool {
    guard !header.isLaterFragment else { return false }
    switch header.source.family {
    case .v4:
      guard header.protocolNumber == 1, header.totalLength > header.headerLength else { return false }
      switch packet.byte(header.headerLength) {
      case 3, 4, 5, 11, 12: return true
      default: return false
      }
    case .v6:
      guard let upper = IPv6UpperLayer(of: packet, header), upper.protocolNumber == 58 else { return false }
      // Types below 128 are errors, those yet to be defined included (RFC 4443 §2.1).
      return upper.offset < header.totalLength && packet.byte(upper.offset) < 128
    }
  }

  /// RFC 1812 §4.3.2.7, RFC 4443 §2.4 (e).
  private static func mayAnswer(_ packet: RawSpan, _ header: IPHeader) -> Bool {
    guard !header.isLaterFragment, !isError(packet, header), !header.destination.isMulticast,
      !header.source.isMartian
    else { return false }
    switch header.destination {
    case .v4(let address): return address.bits != .max
    // An extension chain that cannot be followed may hide an error or a later fragment.
    case .v6: return IPv6UpperLayer(of: packet, header) != nil
    }
  }
}

/// What follows the extension headers of an IPv6 packet.
private struct IPv6UpperLayer {
  var protocolNumber: UInt8
  var offset: Int

  /// `nil` in a later fragment and where the chain is broken.
  init?(of packet: RawSpan, _ header: IPHeader) {
    protocolNumber = header.protocolNumber
    offset = header.headerLength
    while true {
      switch protocolNumber {
      case 0, 43, 60:  // hop-by-hop options, routing, destination options
        guard offset + 8 <= header.totalLength else { return nil }
        protocolNumber = packet.byte(offset)
        offset += 8 + 8 * Int(packet.byte(offset + 1))
      case 44:
        guard offset + 8 <= header.totalLength, packet.big16(offset + 2) & 0xFFF8 == 0 else { return nil }
        protocolNumber = packet.byte(offset)
        offset += 8
      default:
        return
      }
      guard offset <= header.totalLength else { return nil }
    }
  }
}

extension IPAddress {
  /// Whether no packet from outside may have this source: unspecified, loopback, multicast, broadcast.
  internal var isMartian: Bool {
    switch self {
    case .v4(let address): address.bits >> 24 == 0 || address.isLoopback || address.bits >> 28 >= 0xE
    case .v6(let address): address.isMulticast || (address.high == 0 && address.low <= 1)
    }
  }
}

extension MutableRawSpan {
  @_lifetime(self: copy self)
  fileprivate mutating func set(address: IPAddress, at offset: Int) {
    switch address {
    case .v4(let address): set(big32: address.bits, at: offset)
    case .v6(let address):
      set(big64: address.high, at: offset)
      set(big64: address.low, at: offset + 8)
    }
  }

  @_lifetime(self: copy self)
  fileprivate mutating func setICMP(type: UInt8, code: UInt8, rest: UInt32, at offset: Int) {
    set(byte: type, at: offset)
    set(byte: code, at: offset + 1)
    set(big16: 0, at: offset + 2)
    set(big32: rest, at: offset + 4)
  }

  @_lifetime(self: copy self)
  fileprivate mutating func copy(_ source: RawSpan, count: Int, to offset: Int) {
    for index in 0..<count { set(byte: source.byte(index), at: offset + index) }
  }

  fileprivate func checksum(
    _ range: Range<Int>, pseudoHeader: (source: IPAddress, destination: IPAddress)?
  ) -> UInt16 {
    var checksum = Checksum()
    checksum.add(bytes.extracting(range))
    if let (source, destination) = pseudoHeader {
      checksum.addPseudoHeader(
        source: source, destination: destination, protocolNumber: 58, length: range.count)
    }
    return checksum.value
  }
}
