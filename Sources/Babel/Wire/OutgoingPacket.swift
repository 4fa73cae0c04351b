public import Net

/// A packet that is complete but for the time at which it leaves.
///
/// The Timestamp of its Hello says when it was sent, and every wait between writing and sending would count as delay of
/// the link (RFC 9616 §2.2). So the sender asks for the octets at the last moment, and that is also when they are
/// authenticated (RFC 8967).
public struct OutgoingPacket: Sendable, Equatable {
  /// Where it goes: ff02::1:6, or the neighbour's link-local address.
  public let destination: IPv6Address
  /// Whether `destination` is the neighbour's address.
  public var isUnicast: Bool { destination != .babelGroup }

  private let source: IPv6Address
  private let packet: PacketWriter.Packet
  private let clock: FreeRunningClock
  private let keys: [MACKey]

  init(
    _ packet: PacketWriter.Packet, from source: IPv6Address, to destination: IPv6Address,
    clock: FreeRunningClock, keys: [MACKey]
  ) {
    self.packet = packet
    self.source = source
    self.destination = destination
    self.clock = clock
    self.keys = keys
  }

  /// The UDP payload of a packet that is sent at `now`.
  public func payload(at now: Instant) -> [UInt8] {
    var payload = packet.octets
    if let offset = packet.timestampOffset { payload.set(big32: clock.time(at: now), at: offset) }
    guard !keys.isEmpty else { return payload }
    let message = unsafe AuthenticationTLVs.message(from: source, to: destination, payload.span.bytes)
    for key in keys {
      payload.append(TLVType.mac)
      payload.append(UInt8(key.size))
      payload.append(contentsOf: key.sign(message))
    }
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
