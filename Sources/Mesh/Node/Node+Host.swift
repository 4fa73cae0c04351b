internal import Babel
internal import Net
internal import Noise

// What of all this the host itself uses.
extension Node {
  /// Who may be this host's exit: whom `Exit` names, or else the Babel peers whose `AllowedIPs` list a default route.
  ///
  /// A node without `Exit` carries anybody's default route. One with it carries only what it would use: packets follow
  /// the same routes, whoever sends them.
  mutating func bindExits() {
    for prefix in [IPPrefix.defaultIPv4, .defaultIPv6] {
      let exits = exits(prefix)
      speaker?.bind(prefix, to: exits, at: now)
      changedHostPrefixes.append(HostPrefix(prefix))
    }
  }

  private func exits(_ prefix: IPPrefix) -> [PrefixOwner]? {
    switch configuration.interface.exit {
    case .none: return nil
    case .any:
      let listed = (owners[prefix] ?? []).compactMap { peer($0) }.filter(\.speaksBabel)
      return listed.isEmpty ? nil : listed.map(\.owner)
    case .peer(let key):
      if let peer = peer(key) { return [peer.owner] }
      return [
        PrefixOwner(routerIDs: [RouterID(DerivedAddresses(of: key).interfaceIdentifier)].compactMap(\.self))
      ]
    }
  }

  /// Whether the host sends these packets into the TUN device.
  ///
  /// It does if they lead to a peer, or did until a moment ago; then they are refused in the process. A default route for
  /// all sources it only uses with `Exit`, unless this is plain WireGuard.
  private func isUsed(_ packets: HostPrefix) -> Bool {
    let target = draft.allowedIPs[packets.destination, from: packets.source]?.target ?? .none
    switch target {
    case .local, .none: return false
    case .peer, .unreachable: break
    }
    guard packets.destination.isDefault, packets.source == nil, speaker != nil else { return true }
    switch configuration.interface.exit {
    case .none: return false
    case .any: return true
    case .peer(let key):
      // A peer that speaks no Babel is an exit by its own property, which another exit must not stand in for.
      guard case .peer(let id) = target, let peer = peer(id), !peer.speaksBabel else { return true }
      return peer.publicKey == key
    }
  }

  /// What may have to be changed in the host's routes; `nil` if nothing.
  mutating func takeHostChange() -> (added: [HostPrefix], removed: [HostPrefix])? {
    guard !changedHostPrefixes.isEmpty else { return nil }
    var added: [HostPrefix] = []
    var removed: [HostPrefix] = []
    for packets in changedHostPrefixes {
      let isUsed = isUsed(packets)
      if packets.destination.isDefault {
        // Looked at with every configuration, whether anything changed or not.
        let wasUsed = usedDefaults.contains(packets)
        guard isUsed != wasUsed else { continue }
        if isUsed { usedDefaults.insert(packets) } else { usedDefaults.remove(packets) }
      }
      if isUsed { added.append(packets) } else { removed.append(packets) }
    }
    changedHostPrefixes = []
    return added.isEmpty && removed.isEmpty ? nil : (added, removed)
  }

  /// Where our own UDP packets go, or may go; `nil` if that is as it was.
  mutating func takeUnderlay() -> [IPAddress]? {
    guard isUnderlayDirty else { return nil }
    isUnderlayDirty = false
    var addresses: Set<IPAddress> = []
    for case let peer? in peers {
      for endpoint in peer.paths.endpoints { addresses.insert(endpoint.address) }
      if let current = peer.paths.current { addresses.insert(current.remote.address) }
    }
    guard addresses != underlay else { return nil }
    underlay = addresses
    return addresses.sorted()
  }
}
