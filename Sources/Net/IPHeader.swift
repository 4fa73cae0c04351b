/// The fields of an IPv4 or IPv6 header that forwarding needs, checked against the bytes that arrived.
@frozen
public struct IPHeader: Sendable, BitwiseCopyable {
  /// Where the packet comes from.
  public let source: IPAddress
  /// Where it goes.
  public let destination: IPAddress
  /// Octets of the IP header itself; IPv6 extension headers count as payload.
  public let headerLength: Int
  /// Octets of the whole packet by its own length field; never more than arrived.
  public let totalLength: Int
  /// TTL or hop limit.
  public let hopLimit: UInt8
  /// TOS or traffic class: six bits of DSCP, two of ECN.
  public let trafficClass: UInt8
  /// The IPv4 protocol, or the IPv6 next header.
  public let protocolNumber: UInt8
  /// Whether this is a fragment other than the first (IPv4 only).
  public let isLaterFragment: Bool

  /// Reads the header at the start of `packet`; `nil` if the version is unknown, the header incomplete, or
  /// the length field smaller than the header or larger than what arrived.
  ///
  /// Trailing octets (padding) are allowed.
  @inlinable
  public init?(reading packet: RawSpan) {
    guard packet.byteCount >= 20 else { return nil }
    switch packet.byte(0) >> 4 {
    case 4:
      headerLength = Int(packet.byte(0) & 0x0F) * 4
      totalLength = Int(packet.big16(2))
      guard headerLength >= 20, totalLength >= headerLength, totalLength <= packet.byteCount else {
        return nil
      }
      source = .v4(IPv4Address(bits: packet.big32(12)))
      destination = .v4(IPv4Address(bits: packet.big32(16)))
      hopLimit = packet.byte(8)
      trafficClass = packet.byte(1)
      protocolNumber = packet.byte(9)
      isLaterFragment = packet.big16(6) & 0x1FFF != 0
    case 6:
      headerLength = 40
      guard packet.byteCount >= 40 else { return nil }
      totalLength = 40 + Int(packet.big16(4))
      guard totalLength <= packet.byteCount else { return nil }
      source = .v6(IPv6Address(high: packet.big64(8), low: packet.big64(16)))
      destination = .v6(IPv6Address(high: packet.big64(24), low: packet.big64(32)))
      hopLimit = packet.byte(7)
      trafficClass = UInt8(truncatingIfNeeded: packet.big16(0) >> 4)
      protocolNumber = packet.byte(6)
      isLaterFragment = false
    default:
      return nil
    }
  }

  /// The congestion bits of the traffic class (RFC 3168).
  @inlinable
  public var ecn: UInt8 { trafficClass & 3 }
}

extension MutableRawSpan {
  /// Lowers the TTL or hop limit of the packet by one and mends the IPv4 header checksum.
  ///
  /// The header must be valid.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func decrementHopLimit() {
    if bytes.byte(0) >> 4 == 6 {
      set(byte: bytes.byte(7) &- 1, at: 7)
      return
    }
    let old = bytes.big16(8)
    let new = old &- 0x0100
    set(big16: Checksum.updated(bytes.big16(10), from: old, to: new), at: 10)
    set(big16: new, at: 8)
  }

  /// Sets the two ECN bits of the packet and mends the IPv4 header checksum.
  ///
  /// The header must be valid.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func setECN(_ ecn: UInt8) {
    if bytes.byte(0) >> 4 == 6 {
      set(byte: bytes.byte(1) & 0xCF | (ecn & 3) << 4, at: 1)
      return
    }
    let old = bytes.big16(0)
    let new = old & 0xFFFC | UInt16(ecn & 3)
    set(big16: Checksum.updated(bytes.big16(10), from: old, to: new), at: 10)
    set(big16: new, at: 0)
  }
}
