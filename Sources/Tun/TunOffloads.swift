internal import CLinux

/// What passes between a TUN device and this process unfinished or in one piece, so that neither side does it packet by
/// packet.
public struct TunOffloads: Sendable, Equatable {
  /// Packets may come without a complete checksum.
  public var checksums: Bool
  /// TCP segments pass as one, over both families (TSO).
  public var segments: Bool
  /// UDP datagrams pass as one, over both families (USO, Linux 6.2).
  public var datagrams: Bool

  /// Names the offloads; none by default.
  public init(checksums: Bool = false, segments: Bool = false, datagrams: Bool = false) {
    self.checksums = checksums
    self.segments = segments
    self.datagrams = datagrams
  }

  /// All of them, then what older kernels have, one less at a time.
  internal static let choices = [
    TunOffloads(checksums: true, segments: true, datagrams: true),
    TunOffloads(checksums: true, segments: true),
    TunOffloads(checksums: true),
  ]

  /// The `TUN_F_*` flags.
  internal var flags: UInt32 {
    var flags: UInt32 = 0
    if checksums { flags |= UInt32(TUN_F_CSUM) }
    if segments { flags |= UInt32(TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN) }
    if datagrams { flags |= UInt32(CLINUX_TUN_F_USO4 | CLINUX_TUN_F_USO6) }
    return flags
  }

  internal func merges(_ transport: TransportLayout.Transport) -> Bool {
    switch transport {
    case .tcp: segments
    case .udp: datagrams
    }
  }
}
