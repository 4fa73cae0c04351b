internal import Net
internal import Noise

extension ForwardingTable {
  /// The owner of `destination`, if it takes our packets directly; notes that such a way is wanted.
  ///
  /// Only for packets from one of our own addresses, and to a host prefix that nobody else owns: where Babel might know
  /// several ways, it decides (`decisions.md` 19).
  internal func shortcut(to destination: IPAddress, from source: IPAddress, at now: Instant) -> PeerID? {
    guard let owner = restingOwner(of: destination, from: source), let peer = peer(owner) else { return nil }
    peer.activity.noteShortcutWanted(at: now)
    return isOpen(owner, peer, at: now) ? owner : nil
  }

  /// The same, without a wish for such a way.
  internal func openShortcut(
    to destination: IPAddress, from source: IPAddress, at now: Instant
  ) -> PeerID? {
    guard let owner = restingOwner(of: destination, from: source), let peer = peer(owner) else { return nil }
    return isOpen(owner, peer, at: now) ? owner : nil
  }

  private func restingOwner(of destination: IPAddress, from source: IPAddress) -> PeerID? {
    guard !settings.resting.isEmpty, isOwn(source), let match = allowedIPs.longestMatch(destination),
      allowedIPs.length(of: match) == match.family.bitWidth,
      let owner = allowedIPs.onlyOwner(of: match), settings.resting.contains(owner)
    else { return nil }
    return owner
  }

  private func isOpen(_ owner: PeerID, _ peer: PeerEntry, at now: Instant) -> Bool {
    guard settings.shortcuts.contains(owner), peer.path != nil, let keypair = peer.current else {
      return false
    }
    return keypair.isAlive(at: now)
  }

  private func isOwn(_ address: IPAddress) -> Bool {
    for own in settings.ownAddresses where own == address { return true }
    return false
  }
}
