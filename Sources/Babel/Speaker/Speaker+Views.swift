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
    keys.flatMap { key -> [RouteEntry] in
      guard let slot = routeTable.slot(key) else { return [] }
      let row = routeTable[slot]
      if let metric = row.local {
        return [
          RouteEntry(
            key: key, neighbour: nil, routerID: row.claim?.routerID ?? routerID,
            seqno: row.claim?.seqno ?? seqno, referenceMetric: metric,
            metric: metric, isFeasible: true, isSelected: true)
        ]
      }
      if row.routes.isEmpty, row.hold != nil {
        return [
          RouteEntry(
            key: key, neighbour: nil, routerID: nil, seqno: Seqno(0), referenceMetric: .infinity,
            metric: .infinity, isFeasible: false, isSelected: false)
        ]
      }
      return row.routes.sorted { $0.neighbour < $1.neighbour }.map { route in
        RouteEntry(
          key: key, neighbour: route.neighbour, routerID: route.routerID, seqno: route.seqno,
          referenceMetric: route.referenceMetric, metric: route.metric,
          isFeasible: isFeasible(route, slot, at: now), isSelected: row.selected == route.neighbour)
      }
    }
  }

  /// The neighbours in the order in which they were added.
  public var neighbours: [NeighbourView] {
    neighbourTable.keys.compactMap { neighbour($0) }
  }

  /// One neighbour; `nil` if there is none with this id.
  public func neighbour(_ id: NeighbourID) -> NeighbourView? {
    neighbourTable[id].map { row in
      NeighbourView(
        id: id, linkLocal: row.linkLocals.last, isUp: row.isUp, isMeshd: row.isMeshd, reach: row.reach,
        rxcost: row.rxcost, txcost: row.txcost, cost: row.cost, roundTrip: row.roundTrip.smoothed,
        lastHello: row.lastHello, routeCount: row.routeCount,
        prefixLimit: row.settings.prefixLimit ?? limits.routesPerNeighbour, refusals: row.refusals)
    }
  }
}
