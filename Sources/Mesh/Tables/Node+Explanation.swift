internal import Babel
public import Net
internal import Noise

extension Node {
  /// How many switches an explanation tells.
  private static var switchCount: Int { 16 }

  /// Why packets to and from `address` fare as they do.
  public func explain(_ address: IPAddress, at now: Instant) -> Explanation {
    let match = draft.allowedIPs.lookup(address)
    let prefix = match.flatMap { IPPrefix(address, length: $0.length) }
    let view = prefix.flatMap { speaker?.route(for: $0) }
    let hold = prefix.flatMap { speaker?.hold(on: RouteKey($0)) }
    let (target, basis) = outcome(match?.route.target, view, isHeld: hold != nil)
    return Explanation(
      address: address, prefix: prefix, target: target, basis: basis,
      hold: hold.map { hold in
        Explanation.Hold(
          waiting: hold.waiting.compactMap { key(of: $0) }, remaining: max(.zero, now.duration(to: hold.end)))
      },
      routes: prefix.map { routeRows(to: $0, at: now) } ?? [],
      peers: peerParts(address, prefix, view, at: now),
      switches: prefix.map { switches.last(Self.switchCount, of: $0) } ?? [], time: now)
  }

  private func outcome(
    _ target: Route.Target?, _ view: RouteView?, isHeld: Bool
  ) -> (Explanation.Target, Explanation.Basis) {
    switch target {
    case nil: return (.none, .unknown)
    case .local: return (.local, .own)
    // A prefix without target is never passed over for a shorter one.
    case .unreachable, .some(.none): return (.unreachable, isHeld ? .held : .unusable)
    case .peer(let id):
      guard let key = peer(id)?.publicKey else { return (.none, .unknown) }
      guard case .via(let neighbour, _, _, _) = view?.state, neighbour.rawValue == id.rawValue else {
        return (.peer(key), .owner)
      }
      return (.peer(key), .selected)
    }
  }

  private func routeRows(to prefix: IPPrefix, at now: Instant) -> [RouteRow] {
    rows(to: RouteKey(prefix), at: now).compactMap { if case .route(let row) = $0 { row } else { nil } }
  }

  /// What each peer has to do with the address; the source check is that of the data path.
  private func peerParts(
    _ address: IPAddress, _ prefix: IPPrefix?, _ view: RouteView?, at now: Instant
  ) -> [Explanation.Peer] {
    var copy = draft
    let table = copy.freeze()
    return configuration.peers.compactMap { settings in
      guard let peer = peer(settings.publicKey), let entry = table.peer(peer.id) else { return nil }
      let neighbour = NeighbourID(peer.id.rawValue)
      let accepts = prefix.map { speaker?.accepts($0, from: neighbour) ?? false } ?? true
      return Explanation.Peer(
        publicKey: peer.publicKey, endpoint: peer.endpoints.current?.remote,
        hasSession: peer.hasSession(at: now), speaksBabel: peer.speaksBabel,
        isAnnouncing: view?.announcers.contains(neighbour) ?? false,
        isFiltered: peer.speaksBabel && !accepts,
        refusal: table.refusal(of: address, from: peer.id, entry))
    }
  }
}
