internal import Net

extension IPPrefix {
  /// Whether no node may announce the prefix: link-local, multicast, loopback, unspecified.
  ///
  /// Default routes are legal.
  package var isMartian: Bool {
    guard !isDefault else { return false }
    switch address {
    case .v4(let address):
      // 0/8, 127/8 and 224/4 with all more specific prefixes, and the limited broadcast address.
      return (length >= 8 && (address.bits >> 24 == 0 || address.isLoopback))
        || (length >= 4 && address.isMulticast) || address.bits == .max
    case .v6(let address):
      return (length >= 8 && address.isMulticast) || (length >= 10 && address.isLinkLocal)
        || (isHost && (address == .any || address == .loopback))
    }
  }
}
