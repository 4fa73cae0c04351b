internal import Babel
public import Net
internal import Noise

extension Node {
  /// How many switches an explanation tells.
  private static var switchCount: Int { 16 }

  /// Why packets to and from `address` fare as they do.
  ///
  /// `source` is where packets to it come from; without one, they come from this node.
  public func explain(_ address: IPAddress, from source: IPAddress? = nil, at now: Instant) -> Explanation {
    let own = draft.settings.ownAddresses.first { $0.family == address.family }
    let other = source ?? own ?? address
    let key = destinationKey(of: address, from: other)
    let view = key.flatMap { speaker?.route(for: $0) }
    let hold = key.flatMap { speaker?.hold(on: $0) }
    var copy = draft
    let table = copy.freeze()
    let shortcut = table.openShortcut(to: address, from: other, at: now).flatMap { peer($0)?.publicKey }
    let (target, basis) =
      shortcut.map { (.peer($0), .shortcut) }
      ?? outcome(
        key.flatMap { draft.allowedIPs[$0.prefix, from: $0.source]?.target }, view, isHeld: hold != nil)
    return Explanation(
      address: address, prefix: key?.prefix, source: key?.source, target: target, basis: basis,
      hold: hold.map { hold in
        Explanation.Hold(
          waiting: hold.waiting.compactMap { self.key(of: $0) },
          remaining: max(.zero, now.duration(to: hold.end)))
      },
      routes: key.map { routeRows(to: $0, at: now) } ?? [],
      peers: peerParts(address, other, key, view, table, at: now),
      switches: key.map { switches.last(Self.switchCount, of: $0) } ?? [], time: now)
  }

  /// What decides about packets to `address`; if nothing does, the longest prefix of which anything is known.
  private func destinationKey(of address: IPAddress, from source: IPAddress) -> RouteKey? {
    if let (prefix, source, _) = draft.allowedIPs.lookup(address, from: source) {
      return RouteKey(prefix, source: source)
    }
    return draft.allowedIPs.lookup(address).flatMap { IPPrefix(address, length: $0.length) }.map {
      RouteKey($0)
    }
  }

  private func outcome(
    _ target: Route.Target?, _ view: RouteView?, isHeld: Bool
  ) -> (Explanation.Target, Explanation.Basis) {
    switch target {
    case nil: return (.none, .unknown)
    case .local: return (.local, .own)
    case .unreachable, .some(.none): return (.unreachable, isHeld ? .held : .unusable)
    case .peer(let id):
      guard let key = peer(id)?.publicKey else { return (.none, .unknown) }
      guard case .via(let neighbour, _, _, _) = view?.state, neighbour.rawValue == id.rawValue else {
        return (.peer(key), .owner)
      }
      return (.peer(key), .selected)
    }
  }

  private func routeRows(to key: RouteKey, at now: Instant) -> [RouteRow] {
    rows(to: key, at: now).compactMap { if case .route(let row) = $0 { row } else { nil } }
  }

  /// What each peer has to do with the address; the source check is that of the data path, for packets to `other`.
  private func peerParts(
    _ address: IPAddress, _ other: IPAddress, _ key: RouteKey?, _ view: RouteView?, _ table: ForwardingTable,
    at now: Instant
  ) -> [Explanation.Peer] {
    return configuration.peers.compactMap { settings in
      guard let peer = peer(settings.publicKey), let entry = table.peer(peer.id) else { return nil }
      let neighbour = NeighbourID(peer.id.rawValue)
      let accepts = key.map { speaker?.accepts($0, from: neighbour) ?? false } ?? true
      return Explanation.Peer(
        publicKey: peer.publicKey, endpoint: peer.paths.current?.remote,
        hasSession: peer.hasSession(at: now), speaksBabel: peer.speaksBabel,
        isAnnouncing: view?.announcers.contains(neighbour) ?? false,
        isFiltered: peer.speaksBabel && !accepts,
        refusal: table.refusal(of: address, to: other, from: peer.id, entry),
        pathSwitches: peer.pathSwitches.reversed())
    }
  }
}
