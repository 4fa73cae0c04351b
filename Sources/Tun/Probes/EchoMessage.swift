public import Net

/// An ICMP echo request and what answers it (RFC 792, RFC 4443 §4).
public struct EchoMessage: Sendable, Equatable {
  /// The family of the two hosts.
  public var family: AddressFamily
  /// What tells our questions from others'; a socket for pings puts its own in.
  public var identifier: UInt16
  /// What tells our questions from each other.
  public var sequence: UInt16

  /// Makes a message.
  public init(_ family: AddressFamily, identifier: UInt16, sequence: UInt16) {
    self.family = family
    self.identifier = identifier
    self.sequence = sequence
  }

  /// The request.
  ///
  /// The checksum of an IPv6 one is left to the kernel, which knows the source address.
  public var request: [UInt8] {
    var message = ByteWriter(capacity: 8)
    message.append(byte: family == .v4 ? 8 : 128)
    message.append(byte: 0)
    message.append(big16: 0)
    message.append(big16: identifier)
    message.append(big16: sequence)
    guard family == .v4 else { return message.bytes }
    var checksum = Checksum()
    checksum.add(unsafe message.bytes.span.bytes)
    message.set(big16: checksum.value, at: 2)
    return message.bytes
  }

  /// Whether a packet that came is the reply.
  ///
  /// A raw IPv4 socket gives the IP header too, and other programs' replies; a socket for pings has sorted out already.
  public func isAnswered(by packet: RawSpan, isRaw: Bool) -> Bool {
    var start = 0
    if isRaw, family == .v4 {
      guard packet.byteCount > 0 else { return false }
      start = Int(packet.byte(0) & 0x0F) * 4
    }
    guard packet.byteCount >= start + 8 else { return false }
    return packet.byte(start) == (family == .v4 ? 0 : 129) && packet.byte(start + 1) == 0
      && packet.big16(start + 6) == sequence && (!isRaw || packet.big16(start + 4) == identifier)
  }
}
