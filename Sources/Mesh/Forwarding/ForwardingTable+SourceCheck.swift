internal import Net

extension ForwardingTable {
  /// Whether a packet with this source may come from this peer; else why not.
  ///
  /// From a peer without Babel: WireGuard's own rule, the longest prefix that holds the source belongs to this very peer.
  /// From one with Babel: nobody's and our own addresses never, nothing outside what the peer may carry, and then what
  /// `Configuration.SourceCheck` says (`babel.md` §6.5).
  internal func refusal(
    of source: IPAddress, to destination: IPAddress, from id: PeerID, _ peer: PeerEntry
  ) -> DropReason? {
    let match = allowedIPs.longestMatch(source)
    guard peer.speaksBabel else {
      guard let match else { return .disallowedSource }
      let isAllowed = allowedIPs.target(of: match) == .peer(id) || allowedIPs.isOwner(id, of: match)
      return isAllowed ? nil : .disallowedSource
    }
    guard !source.isMartian, !source.isLinkLocal else { return .martianSource }
    let isLocal = match.map { allowedIPs.target(of: $0) == .local } ?? false
    if isLocal, let match, isHost(match) { return .martianSource }
    if let accept = peer.accept, !accept.contains(source) { return .unacceptedSource }
    guard settings.sourceCheck != .off else { return nil }
    guard let match else { return .unknownSource }
    let isAllowed =
      switch settings.sourceCheck {
      case .anchored: isClaimed(match, by: id)
      case .covering: isClaimed(match, by: id) || (!isLocal && allowedIPs.isSourceOfAny(id, source))
      case .strict: allowedIPs.target(for: source, from: destination) == .peer(id)
      case .off: true
      }
    return isAllowed ? nil : .disallowedSource
  }

  /// Whether the peer owns or announces the prefix, or did so a moment ago.
  private func isClaimed(_ match: AllowedIPs.Match, by id: PeerID) -> Bool {
    allowedIPs.isSource(id, of: match) || allowedIPs.isOwner(id, of: match)
  }

  private func isHost(_ match: AllowedIPs.Match) -> Bool {
    allowedIPs.length(of: match) == match.family.bitWidth
  }

  /// The source of ICMP errors about packets of `family`: our first address, or for IPv4 the dummy address of
  /// RFC 7600.
  internal func errorSource(_ family: AddressFamily) -> IPAddress? {
    for address in settings.ownAddresses where address.family == family { return address }
    return family == .v4 ? .v4(IPv4Address(192, 0, 0, 8)) : nil
  }
}
