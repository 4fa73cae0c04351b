public import Net
internal import OrderedCollections

extension Speaker {
  /// What forwarding needs to know about a prefix, and only about this very prefix.
  public func route(for prefix: IPPrefix) -> RouteView {
    guard let slot = routeTable.slot(RouteKey(prefix)) else { return RouteView(state: .none, announcers: []) }
    return routeTable[slot].view
  }

  /// All prefixes about which something is known, in ascending order.
  public var prefixes: [IPPrefix] {
    routeTable.rows.map(\.key.prefix).sorted()
  }

  /// The route table with our own and the held prefixes, by prefix and neighbour, as of `now`.
  public func routes(at now: Instant) -> [RouteEntry] {
    prefixes.flatMap { routes(to: RouteKey($0), at: now) }
  }

  /// The part of the route table about one destination, by neighbour, as of `now`.
  public func routes(to key: RouteKey, at now: Instant) -> [RouteEntry] {
    guard let slot = routeTable.slot(key) else { return [] }
    let row = routeTable[slot]
    if let metric = row.local {
      return [
        RouteEntry(
          prefix: key.prefix, neighbour: nil, routerID: routerID, seqno: seqno, referenceMetric: metric,
          metric: metric, isFeasible: true, verdict: .local)
      ]
    }
    if row.routes.isEmpty, row.hold != nil {
      return [
        RouteEntry(
          prefix: key.prefix, neighbour: nil, routerID: nil, seqno: Seqno(0), referenceMetric: .infinity,
          metric: .infinity, isFeasible: false, verdict: .held)
      ]
    }
    let inUse = row.selectedRoute
    return row.routes.sorted { $0.neighbour < $1.neighbour }.map { route in
      let distance = sourceTable.distance(key, route.routerID, at: now)
      return RouteEntry(
        prefix: key.prefix, neighbour: route.neighbour, routerID: route.routerID, seqno: route.seqno,
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

  /// Whether the neighbour may announce the prefix.
  public func accepts(_ prefix: IPPrefix, from id: NeighbourID) -> Bool {
    neighbourTable[id]?.settings.accepts(prefix) ?? false
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
        rxcost: row.rxcost, txcost: row.txcost, cost: row.cost, lastHello: row.lastHello,
        routeCount: row.routeCount)
    }
  }
}
