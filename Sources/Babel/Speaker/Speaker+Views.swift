public import Net
internal import OrderedCollections

extension Speaker {
  /// What forwarding needs to know about packets to a prefix from a source prefix, and only about these very prefixes.
  ///
  /// The longest destination decides before the longest source (RFC 9079 §3.2).
  public func route(for prefix: IPPrefix, source: IPPrefix? = nil) -> RouteView {
    route(for: RouteKey(prefix, source: source))
  }

  /// What forwarding needs to know about one key.
  public func route(for key: RouteKey) -> RouteView {
    guard let slot = routeTable.slot(key) else { return RouteView(state: .none, announcers: []) }
    return routeTable[slot].view
  }

  /// Everything about which something is known, in ascending order.
  public var keys: [RouteKey] {
    routeTable.rows.map(\.key).sorted()
  }

  /// The route table with our own and the held prefixes, by prefix and neighbour, as of `now`.
  public func routes(at now: Instant) -> [RouteEntry] {
    keys.flatMap { routes(to: $0, at: now) }
  }

  /// The part of the route table about one destination, by neighbour, as of `now`.
  public func routes(to key: RouteKey, at now: Instant) -> [RouteEntry] {
    guard let slot = routeTable.slot(key) else { return [] }
    let row = routeTable[slot]
    if let metric = row.local {
      return [
        RouteEntry(
          key: key, neighbour: nil, routerID: row.claim?.routerID ?? routerID,
          seqno: row.claim?.seqno ?? seqno, referenceMetric: metric, metric: metric, isFeasible: true,
          verdict: .local)
      ]
    }
    if row.routes.isEmpty, row.hold != nil {
      return [
        RouteEntry(
          key: key, neighbour: nil, routerID: nil, seqno: Seqno(0), referenceMetric: .infinity,
          metric: .infinity, isFeasible: false, verdict: .held)
      ]
    }
    let inUse = row.selectedRoute
    return row.routes.sorted { $0.neighbour < $1.neighbour }.map { route in
      let distance = sourceTable.distance(key, route.routerID, at: now)
      return RouteEntry(
        key: key, neighbour: route.neighbour, routerID: route.routerID, seqno: route.seqno,
        referenceMetric: route.referenceMetric, metric: route.metric,
        isFeasible: distance?.admits(seqno: route.seqno, metric: route.referenceMetric) ?? true,
        verdict: RouteSelection.verdict(
          on: route, inUse: inUse, distance: distance, halfLife: timing.smoothing, at: now))
    }
  }

  /// The destinations that this node announces itself, in ascending order.
  public var originated: [RouteKey] {
    routeTable.rows.filter { $0.local != nil }.map(\.key).sorted()
  }

  /// The hold on a destination; `nil` if it is not held.
  public func hold(on key: RouteKey) -> HoldView? {
    routeTable.slot(key).flatMap { routeTable[$0].hold }.map { HoldView(waiting: $0.waiting, end: $0.end) }
  }

  /// Whether the neighbour may announce the destination.
  public func accepts(_ key: RouteKey, from id: NeighbourID) -> Bool {
    neighbourTable[id]?.settings.accepts(key) ?? false
  }

  /// The neighbours in the order in which they were added.
  public var neighbours: [NeighbourView] {
    neighbourTable.keys.compactMap { neighbour($0) }
  }

  /// One neighbour; `nil` if there is none with this id.
  public func neighbour(_ id: NeighbourID) -> NeighbourView? {
    neighbourTable[id].map { row in
      NeighbourView(
        id: id, linkLocal: row.linkLocals.last, isUp: row.isUp, isMeshd: row.isMeshd,
        multicastReach: row.multicastHellos.bits, unicastReach: row.unicastHellos.bits,
        rxcost: row.rxcost, txcost: row.txcost, cost: row.cost, roundTrip: row.roundTrip.smoothed,
        roundTripCost: row.delayCost, lastHello: row.lastHello, routeCount: row.routeCount,
        prefixLimit: row.settings.prefixLimit ?? limits.routesPerNeighbour, refusals: row.refusals)
    }
  }
}
