internal import Babel
public import Net

/// A Babel packet inside the tunnel: link-local IPv6 and UDP port 6696, built and read here because no kernel is between.
///
/// RFC 8966 §4: the source is link-local, both ports are 6696, the destination is `ff02::1:6` or a link-local address. The
/// hop limit is sent as 1 and never checked, since stock daemons do not set 255.
public enum ControlDatagram {
  /// The UDP port of Babel.
  public static let port: UInt16 = 6696
  /// `ff02::1:6`, the group of all Babel speakers on a link.
  public static let group = IPv6Address(high: 0xFF02_0000_0000_0000, low: 0x0000_0000_0001_0006)
  /// Octets of the IPv6 and UDP headers before the payload.
  public static let overhead = 48

  /// CS6, the traffic class both stock daemons use for routing traffic.
  private static let trafficClass: UInt32 = 0xC0
  private static let udp: UInt8 = 17

  /// Wraps `payload` into an IPv6 packet.
  public static func encapsulate(
    _ payload: [UInt8], from source: IPv6Address, to destination: IPv6Address
  ) -> [UInt8] {
    let length = payload.count + 8
    var packet = ByteWriter(capacity: overhead + payload.count)
    packet.append(big32: 6 << 28 | trafficClass << 20)
    packet.append(big16: UInt16(length))
    packet.append(byte: udp)
    packet.append(byte: 1)
    packet.append(.v6(source))
    packet.append(.v6(destination))
    packet.append(big16: port)
    packet.append(big16: port)
    packet.append(big16: UInt16(length))
    packet.append(big16: 0)
    packet.append(contentsOf: payload)
    var checksum = Checksum()
    checksum.addPseudoHeader(
      source: .v6(source), destination: .v6(destination), protocolNumber: udp, length: length)
    unsafe checksum.add(packet.bytes.span.bytes.extracting(40..<packet.count))
    // Zero means "no checksum", which IPv6 forbids (RFC 8200 §8.1).
    packet.set(big16: checksum.value == 0 ? 0xFFFF : checksum.value, at: 46)
    return packet.bytes
  }

  /// A received Babel packet: where its payload lies and who sent it.
  public struct Content: Sendable {
    /// The sender's link-local address.
    public let source: IPv6Address
    /// Where it was sent to: the group, or a link-local address.
    public let destination: IPv6Address
    /// The octets of the payload in the packet.
    public let payload: Range<Int>
  }

  /// Reads a packet that `Inbound` classified as control; `nil` if a length, a port or the checksum is wrong.
  public static func read(_ packet: RawSpan) -> Content? {
    guard let header = IPHeader(reading: packet), header.protocolNumber == udp,
      case .v6(let source) = header.source, case .v6(let destination) = header.destination,
      source.isLinkLocal, destination == group || destination.isLinkLocal, header.totalLength >= overhead
    else { return nil }
    let length = Int(packet.big16(44))
    guard packet.big16(40) == port, packet.big16(42) == port, packet.big16(46) != 0,
      length >= 8, 40 + length <= header.totalLength
    else { return nil }
    var checksum = Checksum()
    checksum.addPseudoHeader(
      source: header.source, destination: header.destination, protocolNumber: udp, length: length)
    checksum.add(packet.extracting(40..<40 + length))
    guard checksum.value == 0 else { return nil }
    return Content(source: source, destination: destination, payload: overhead..<40 + length)
  }
}
