internal import Babel
public import Net

/// A Babel packet to a peer that takes the time of its departure at the last moment.
///
/// Delay is measured from the sealing at one end to the arrival at the other (RFC 9616 §2.2), so whoever seals the packet
/// asks for its octets just before.
public struct BabelPacket: Sendable {
  private let packet: OutgoingPacket
  private let source: IPv6Address

  internal init(_ packet: OutgoingPacket, from source: IPv6Address) {
    self.packet = packet
    self.source = source
  }

  /// The inner IPv6 packet, sent at `now`.
  public func octets(at now: Instant) -> [UInt8] {
    BabelDatagram.encapsulate(packet.payload(at: now), from: source, to: packet.destination)
  }
}
