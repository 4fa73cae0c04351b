public import Net

/// A packet that is complete but for the time at which it leaves.
///
/// The Timestamp of its Hello says when it was sent, and every wait between writing and sending would count as delay of
/// the link (RFC 9616 §2.2). So the sender asks for the octets at the last moment.
public struct OutgoingPacket: Sendable, Equatable {
  /// Where it goes: ff02::1:6, or the neighbour's link-local address.
  public let destination: IPv6Address
  /// Whether `destination` is the neighbour's address.
  public var isUnicast: Bool { destination != .babelGroup }

  private let octets: [UInt8]
  private let timestampOffset: Int?
  private let clock: FreeRunningClock

  init(_ packet: PacketWriter.Packet, to destination: IPv6Address, clock: FreeRunningClock) {
    self.destination = destination
    octets = packet.octets
    timestampOffset = packet.timestampOffset
    self.clock = clock
  }

  /// The UDP payload of a packet that is sent at `now`.
  public func payload(at now: Instant) -> [UInt8] {
    var payload = octets
    if let timestampOffset { payload.set(big32: clock.time(at: now), at: timestampOffset) }
    return payload
  }
}

extension IPv6Address {
  /// ff02::1:6, where all Babel speakers of a link listen.
  static let babelGroup = IPv6Address(high: 0xFF02 << 48, low: 0x1_0006)
}

extension [UInt8] {
  fileprivate mutating func set(big32 value: UInt32, at offset: Int) {
    for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index)) }
  }
}
