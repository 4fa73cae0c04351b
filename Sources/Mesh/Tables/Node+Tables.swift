internal import Babel
public import Net
internal import Noise

// The tables that operators see, made when they are asked for.
extension Node {
  /// Our router-id as it is printed; `nil` if no Babel is spoken.
  public var routerID: String? { speaker.map { "\($0.routerID)" } }

  /// The interface.
  public var interfaceRow: InterfaceRow {
    var ipv4: IPv4Address?
    for case .v4(let address) in draft.settings.ownAddresses where ipv4 == nil { ipv4 = address }
    return InterfaceRow(
      isUp: isLinkUp, linkLocal: speaker == nil ? nil : identity?.publicKey.linkLocal, ipv4: ipv4)
  }

  /// The neighbours, in the order in which they were added.
  public func neighbourRows(at now: Instant) -> [NeighbourRow] {
    (speaker?.neighbours ?? []).compactMap { view in
      guard var row = row(of: view) else { return nil }
      row.activity = NeighbourRow.Activity(
        routeCount: view.routeCount, silence: view.lastHello.map { $0.duration(to: now) })
      return row
    }
  }

  /// What this node announces itself, by prefix.
  public func xrouteRows(at now: Instant) -> [XrouteRow] {
    (speaker?.originated ?? []).flatMap { key in
      rows(to: key, at: now).compactMap { if case .xroute(let row) = $0 { row } else { nil } }
    }
  }

  /// The routes of the neighbours and the held prefixes, by prefix; without `all`, only those that packets follow.
  public func routeRows(all: Bool, at now: Instant) -> [RouteRow] {
    (speaker?.routes(at: now) ?? []).compactMap { entry in
      guard case .route(let row) = row(of: entry), all || row.state != .alternative else { return nil }
      return row
    }
  }

  /// Everything, in the order in which babeld tells it.
  public func tableRows(at now: Instant) -> [TableRow] {
    var rows: [TableRow] = [.interface(interfaceRow)]
    rows += (speaker?.neighbours ?? []).compactMap { row(of: $0) }.map { .neighbour($0) }
    rows += xrouteRows(at: now).map { .xroute($0) }
    return rows + routeRows(all: true, at: now).map { .route($0) }
  }

  /// The rows about one destination.
  func rows(to key: RouteKey, at now: Instant) -> [TableRow] {
    (speaker?.routes(to: key, at: now) ?? []).map { row(of: $0) }
  }

  /// The row of a neighbour, without what changes all the time; `nil` once its peer is gone.
  func row(of view: NeighbourView) -> NeighbourRow? {
    guard let peer = peer(PeerID(rawValue: view.id.rawValue)) else { return nil }
    var row = NeighbourRow(publicKey: peer.publicKey, number: view.id.rawValue)
    row.address = view.linkLocal
    row.isMeshd = view.isMeshd
    row.isUp = view.isUp
    row.multicastReach = view.multicastReach
    row.unicastReach = view.unicastReach
    row.rxcost = view.rxcost.rawValue
    row.txcost = view.txcost.rawValue
    row.cost = view.cost.rawValue
    row.roundTrip = view.roundTrip
    row.roundTripCost = view.roundTripCost.rawValue
    return row
  }

  /// The row of a route or of a prefix of our own.
  func row(of entry: RouteEntry) -> TableRow {
    guard entry.verdict != .local else {
      return .xroute(XrouteRow(prefix: entry.prefix, source: entry.source, metric: entry.metric.rawValue))
    }
    let via = entry.neighbour.flatMap { id in
      peer(PeerID(rawValue: id.rawValue)).map { peer in
        RouteRow.NextHop(
          publicKey: peer.publicKey, number: id.rawValue, address: speaker?.neighbour(id)?.linkLocal)
      }
    }
    return .route(
      RouteRow(
        prefix: entry.prefix, source: entry.source, via: via, metric: entry.metric.rawValue,
        referenceMetric: entry.referenceMetric.rawValue, routerID: entry.routerID,
        seqno: entry.seqno.rawValue, isFeasible: entry.isFeasible, verdict: entry.verdict))
  }
}
