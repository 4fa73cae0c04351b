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
    prefixes.flatMap { prefix -> [RouteEntry] in
      guard let slot = routeTable.slot(RouteKey(prefix)) else { return [] }
      let row = routeTable[slot]
      if let metric = row.local {
        return [
          RouteEntry(
            prefix: prefix, neighbour: nil, routerID: row.claim?.routerID ?? routerID,
            seqno: row.claim?.seqno ?? seqno, referenceMetric: metric,
            metric: metric, isFeasible: true, isSelected: true)
        ]
      }
      if row.routes.isEmpty, row.hold != nil {
        return [
          RouteEntry(
            prefix: prefix, neighbour: nil, routerID: nil, seqno: Seqno(0), referenceMetric: .infinity,
            metric: .infinity, isFeasible: false, isSelected: false)
        ]
      }
      return row.routes.sorted { $0.neighbour < $1.neighbour }.map { route in
        RouteEntry(
          prefix: prefix, neighbour: route.neighbour, routerID: route.routerID, seqno: route.seqno,
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
        rxcost: row.rxcost, txcost: row.txcost, cost: row.cost, lastHello: row.lastHello,
        routeCount: row.routeCount, prefixLimit: row.settings.prefixLimit ?? limits.routesPerNeighbour,
        refusals: row.refusals)
    }
  }
}
