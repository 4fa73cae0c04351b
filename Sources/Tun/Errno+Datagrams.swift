internal import SystemPackage

// What the kernel's refusal of a datagram means.
extension Errno {
  /// Whether the kernel has no way for a datagram: no route, one that says unreachable, prohibit (`EACCES`) or blackhole
  /// (`EINVAL`), a device that is down or gone, an address that is not ours.
  ///
  /// `EPERM` is a firewall's (its OUTPUT chain, a policy of IPsec, a full table of connections): it may concern this datagram
  /// alone.
  internal var meansUnreachable: Bool {
    switch self {
    case .networkUnreachable, .noRouteToHost, .permissionDenied, .notPermitted, .invalidArgument,
      .networkDown,
      .addressNotAvailable, .addressFamilyNotSupported, .noDevice:
      true
    default: false
    }
  }

  /// Whether the kernel may refuse a datagram with this because of the source address that was asked for:
  /// IPv6 and old IPv4 say `EINVAL`, newer IPv4 `ENETUNREACH` (measured on 6.18).
  internal var isStaleSource: Bool {
    switch self {
    case .invalidArgument, .networkUnreachable, .addressNotAvailable, .noRouteToHost, .noDevice: true
    default: false
    }
  }
}
