internal import Net
internal import Noise

extension Configuration {
  /// The configuration after the changes of one UAPI `set`, with WireGuard's meaning of each.
  ///
  /// A prefix moves to the peer that is given it last. Our own key is never a peer. Peers keep their place;
  /// new ones come last.
  public func applying(_ changes: [UAPIChange]) -> Configuration {
    var edit = ConfigurationEdit(self)
    for change in changes { edit.apply(change) }
    return edit.result
  }
}

/// A configuration while changes are applied to it, with the look-ups that keep a change cheap at 10 000
/// peers.
private struct ConfigurationEdit {
  private var interface: Configuration.Interface
  /// Peers by position; `nil` where one was removed.
  private var peers: [Configuration.Peer?]
  private var positions: [PublicKey: Int] = [:]
  /// Who has which prefix.
  ///
  /// This is what counts: a peer's list may still hold what was taken from it.
  private var owners: [IPPrefix: [Int]] = [:]
  private var peersWithTakenPrefixes: Set<Int> = []
  /// The peer the lines are about; `nil` when they are to have no effect.
  private var current: Int?
  private var isCurrentNew = false

  init(_ configuration: Configuration) {
    interface = configuration.interface
    peers = configuration.peers
    for (position, peer) in configuration.peers.enumerated() {
      positions[peer.publicKey] = position
      for prefix in peer.allowedIPs { owners[prefix, default: []].append(position) }
    }
  }

  var result: Configuration {
    var configuration = Configuration()
    configuration.interface = interface
    configuration.peers = peers.indices.compactMap { position in
      guard var peer = peers[position] else { return nil }
      if peersWithTakenPrefixes.contains(position) {
        // A prefix taken and given again stands twice; its last place counts.
        var seen: Set<IPPrefix> = []
        let kept = peer.allowedIPs.reversed().filter {
          owners[$0]?.contains(position) == true && seen.insert($0).inserted
        }
        peer.allowedIPs = kept.reversed()
      }
      return peer
    }
    return configuration
  }

  mutating func apply(_ change: UAPIChange) {
    switch change {
    case .privateKey(let key):
      interface.privateKey = key
      if let own = key?.publicKey, let position = positions[own] { remove(position) }
    case .listenPort(let port): interface.listenPort = port
    case .firewallMark(let mark): interface.firewallMark = mark
    case .replacePeers:
      peers = []
      positions = [:]
      owners = [:]
      peersWithTakenPrefixes = []
    case .peer(let key): select(key)
    case .updateOnly: if isCurrentNew { removeCurrent() }
    case .remove: removeCurrent()
    case .presharedKey(let key): update { $0.presharedKey = key }
    case .endpoint(.address(let endpoint)): update { $0.pinned = endpoint }
    case .endpoint(let name): update { ($0.endpoints, $0.pinned) = ([name], nil) }
    case .unpin:
      update {
        $0.endpoints = $0.allEndpoints
        $0.pinned = nil
      }
    case .replaceEndpoints: update { ($0.endpoints, $0.pinned) = ([], nil) }
    case .additionalEndpoint(let endpoint):
      update { if !$0.endpoints.contains(endpoint) { $0.endpoints.append(endpoint) } }
    case .persistentKeepalive(let seconds): update { $0.persistentKeepalive = seconds }
    case .replaceAllowedIPs: if let current { removeAllowedIPs(of: current) }
    case .allowedIP(let prefix): if let current { give(prefix, to: current) }
    case .removeAllowedIP(let prefix): if let current { take(prefix, from: current) }
    case .babel(let babel): update { $0.babel = babel }
    case .protocolVersion: break
    }
  }

  private mutating func update(_ body: (inout Configuration.Peer) -> Void) {
    guard let current, var peer = peers[current] else { return }
    // Taken out while it changes, so that its arrays are not copied.
    peers[current] = nil
    body(&peer)
    peers[current] = peer
  }

  private mutating func select(_ key: PublicKey) {
    isCurrentNew = false
    guard key != interface.privateKey?.publicKey else {
      current = nil
      return
    }
    if let position = positions[key] {
      current = position
      return
    }
    current = peers.count
    isCurrentNew = true
    positions[key] = peers.count
    peers.append(Configuration.Peer(publicKey: key))
  }

  private mutating func removeCurrent() {
    if let current { remove(current) }
    current = nil
    isCurrentNew = false
  }

  private mutating func remove(_ position: Int) {
    removeAllowedIPs(of: position)
    if let key = peers[position]?.publicKey { positions[key] = nil }
    peers[position] = nil
  }

  private mutating func removeAllowedIPs(of position: Int) {
    for prefix in peers[position]?.allowedIPs ?? [] { owners[prefix]?.removeAll { $0 == position } }
    peers[position]?.allowedIPs = []
  }

  private mutating func give(_ prefix: IPPrefix, to position: Int) {
    let former = owners[prefix] ?? []
    for owner in former where owner != position { take(prefix, from: owner) }
    guard !former.contains(position) else { return }
    update { $0.allowedIPs.append(prefix) }
    owners[prefix] = [position]
  }

  private mutating func take(_ prefix: IPPrefix, from position: Int) {
    guard owners[prefix]?.contains(position) == true else { return }
    owners[prefix]?.removeAll { $0 == position }
    peersWithTakenPrefixes.insert(position)
  }
}
