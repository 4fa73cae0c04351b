internal import Net

extension ForwardingTable {
  /// Whether a packet with this source may come from this peer; else why not.
  ///
  /// From a peer without Babel: WireGuard's own rule, the longest prefix that holds the source belongs to this very peer.
  /// From one with Babel: anchored feasible-path RPF. The source must be inside what the peer may carry, and the peer must
  /// own or announce the longest prefix that holds it, whether or not packets to it go that way.
  internal func refusal(of source: IPAddress, from id: PeerID, _ peer: PeerEntry) -> DropReason? {
    guard peer.speaksBabel else {
      guard let match = allowedIPs.longestMatch(source) else { return .disallowedSource }
      let isAllowed = allowedIPs.target(of: match) == .peer(id) || allowedIPs.isOwner(id, of: match)
      return isAllowed ? nil : .disallowedSource
    }
    guard !source.isMartian, !source.isLinkLocal else { return .martianSource }
    let match = allowedIPs.longestMatch(source)
    if let match, allowedIPs.target(of: match) == .local, isHost(match) { return .martianSource }
    if let accept = peer.accept, !accept.contains(source) { return .disallowedSource }
    guard let match, allowedIPs.isSource(id, of: match) || allowedIPs.isOwner(id, of: match) else {
      return .disallowedSource
    }
    return nil
  }

  private func isHost(_ match: AllowedIPs.Match) -> Bool {
    allowedIPs.length(of: match) == match.family.bitWidth
  }

  /// The source of ICMP errors about packets of `family`: our first address, or for IPv4 the dummy address of RFC 7600.
  internal func errorSource(_ family: AddressFamily) -> IPAddress? {
    for address in settings.ownAddresses where address.family == family { return address }
    return family == .v4 ? .v4(IPv4Address(192, 0, 0, 8)) : nil
  }
}
