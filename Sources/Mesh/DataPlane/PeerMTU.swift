internal import Net

/// How large packets for one peer may be, looked up once for consecutive packets to it.
internal struct PeerMTU {
  /// What padding and TCP segments keep to.
  private(set) var octets = 0
  /// The largest packet that the peer's path is known to carry in one piece; without knowledge, anything.
  private(set) var confirmed = Int.max
  private var peer: PeerID?

  /// Looks the peer up unless it is that of the packet before.
  @inline(__always)
  mutating func turn(to id: PeerID, in table: ForwardingTable) {
    if id != peer { lookUp(id, in: table) }
  }

  @inline(never)
  private mutating func lookUp(_ id: PeerID, in table: ForwardingTable) {
    peer = id
    confirmed = table.peer(id)?.mtu ?? .max
    octets = min(table.settings.mtu, confirmed)
  }

  /// Whether a packet too long for the way on may go on it nevertheless, because the outer datagram may be fragmented:
  /// IPv4 without DF, and IPv6 that every link has to carry (RFC 8200 §5).
  static func mayBeFragmented(_ header: IPHeader, _ packet: RawSpan) -> Bool {
    switch header.source.family {
    case .v4: packet.byte(6) & 0x40 == 0
    case .v6: header.totalLength <= leastIPv6
    }
  }

  /// The error that tells about an MTU, but nobody of less than every IPv6 link has.
  static func error(_ mtu: Int, about header: IPHeader) -> ICMPError {
    .packetTooBig(mtu: header.source.family == .v4 ? mtu : max(mtu, leastIPv6))
  }

  private static let leastIPv6 = 1280
}

extension ForwardingTable {
  /// What padding and TCP segments for this peer keep to.
  internal func mtu(of peer: PeerEntry) -> Int { min(settings.mtu, peer.mtu ?? .max) }
}
