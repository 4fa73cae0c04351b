internal import Babel
public import Net
internal import Noise

extension Node {
  /// What the node is at this moment; what the daemon alone knows (names, ports, counters) is left at its default.
  public func status(at now: Instant) -> Status {
    var status = Status()
    status.privateKey = configuration.interface.privateKey
    status.listenPort = configuration.interface.listenPort
    status.firewallMark = configuration.interface.firewallMark
    status.mtu = mtu
    status.babel = speaker != nil
    status.routerID = routerID ?? ""
    status.linkLocal = speaker == nil ? nil : identity?.publicKey.linkLocal
    let neighbours = speaker?.neighbours ?? []
    let prefixes = prefixesByPeer()
    for settings in configuration.peers where settings.publicKey != identity?.publicKey {
      guard let peer = peer(settings.publicKey) else {
        status.peers.append(self.status(ofDormant: settings))
        continue
      }
      let neighbour = neighbours.first { $0.id.rawValue == peer.id.rawValue }
      status.peers.append(self.status(of: peer, prefixes[peer.id] ?? [], neighbour))
    }
    if let counters = speaker?.counters {
      let packets: [(reason: String, count: UInt64)] = [
        ("foreign Babel packet", counters.foreignPackets), ("malformed Babel TLV", counters.malformedTLVs),
      ]
      status.drops = packets.filter { $0.count > 0 } + Self.counts(counters.refusals)
    }
    return status
  }

  /// A peer that waits for our private key: `wg set` may give peers first.
  private func status(ofDormant settings: Configuration.Peer) -> Status.Peer {
    var status = Status.Peer(publicKey: settings.publicKey)
    status.presharedKey = settings.presharedKey
    status.configuredEndpoints = settings.allEndpoints
    if case .address(let endpoint)? = settings.allEndpoints.first { status.endpoint = endpoint }
    status.allowedIPs = settings.allowedIPs
    status.persistentKeepalive = settings.persistentKeepalive
    return status
  }

  private func status(of peer: Peer, _ prefixes: [IPPrefix], _ view: NeighbourView?) -> Status.Peer {
    var status = Status.Peer(publicKey: peer.publicKey)
    status.presharedKey = peer.configuration.presharedKey
    status.endpoint = peer.paths.current?.remote
    status.configuredEndpoints = peer.configuration.allEndpoints
    status.paths = peer.paths.candidates.indices.map { self.status(ofPath: $0, of: peer) }
    // In the order configured, then what was learned.
    let configured = Set(peer.configuration.allowedIPs).intersection(prefixes)
    status.allowedIPs = peer.configuration.allowedIPs.filter(configured.contains)
    status.allowedIPs += prefixes.lazy.filter { !configured.contains($0) }
    status.lastHandshake = peer.lastHandshake
    status.receivedBytes = peer.activity.receivedBytes
    status.sentBytes = peer.activity.sentBytes
    status.persistentKeepalive = peer.configuration.persistentKeepalive
    if let view {
      var neighbour = Status.Neighbour()
      neighbour.address = view.linkLocal
      neighbour.reach = view.reach
      neighbour.rxcost = view.rxcost.rawValue
      neighbour.txcost = view.txcost.rawValue
      neighbour.cost = view.cost.rawValue
      neighbour.roundTrip = view.roundTrip
      neighbour.prefixes = view.routeCount
      neighbour.prefixLimit = view.prefixLimit
      neighbour.refusals = Self.counts(view.refusals)
      status.neighbour = neighbour
    }
    return status
  }

  private func status(ofPath place: Int, of peer: Peer) -> Status.Path {
    let candidate = peer.paths.candidates[place]
    var status = Status.Path(endpoint: candidate.remote)
    let isOneOfMany = peer.paths.candidates.count { $0.remote == candidate.remote } > 1
    status.source = (candidate.uplink ?? (isOneOfMany ? candidate.source : nil))?.address
    status.isInUse = place == peer.paths.index
    status.isPinned = candidate.remote == peer.paths.pinned
    status.roundTrip = candidate.quality.roundTrip
    status.lossPerMille = Int((candidate.quality.loss * 1000).rounded())
    status.mtu = candidate.mtu?.confirmed
    status.useTime = candidate.usedSince.map { $0.duration(to: now) }
    if !candidate.isUsable(at: now) {
      status.state = .failed
    } else if candidate.quality.unanswered > 0 {
      status.state = .silent
    } else if candidate.quality.roundTrip != nil {
      status.state = .alive
    }
    return status
  }

  private static func counts(_ refusals: UpdateRefusals) -> [(reason: String, count: UInt64)] {
    UpdateRefusals.Reason.allCases.map { ($0.rawValue, refusals[$0]) }.filter { $0.1 > 0 }
  }

  /// Where traffic goes: the prefixes that lead to each peer, in order.
  private func prefixesByPeer() -> [PeerID: [IPPrefix]] {
    var prefixes: [PeerID: [IPPrefix]] = [:]
    draft.allowedIPs.forEach { prefix, source, route in
      // A part of a prefix is not the prefix.
      guard source == nil, case .peer(let id) = route.target else { return }
      prefixes[id, default: []].append(prefix)
    }
    return prefixes
  }
}
