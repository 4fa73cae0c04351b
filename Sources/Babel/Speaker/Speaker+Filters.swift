internal import Net
internal import OrderedCollections

// What the configuration's filters let in and out. `Accept` stands above them (`NeighbourSettings.accepts`).
extension Speaker {
  /// What is added to the metric of a neighbour's route; `nil` if the route may not be stored.
  func penalty(of route: Route, _ key: RouteKey) -> Metric? {
    // Nearly always; and a neighbour is too large to be copied for every update.
    guard let isOpen = neighbourTable[route.neighbour]?.settings.inbound.rules.isEmpty else { return nil }
    if isOpen { return .zero }
    guard let neighbour = neighbourTable[route.neighbour] else { return nil }
    return neighbour.settings.inbound.metric(
      for: FilterCandidate(
        key.prefix, source: key.source, neighbour: neighbour.filterAddress, routerID: route.routerID))
  }

  /// What a neighbour is told about a prefix; `nil` is a retraction.
  func announcement(_ slot: RouteTable.Slot, to neighbour: Neighbour) -> Destination.Announcement? {
    announcement(slot, to: neighbour, neighbour.settings.outbound)
  }

  private func announcement(
    _ slot: RouteTable.Slot, to neighbour: Neighbour, _ filter: Filter
  ) -> Destination.Announcement? {
    guard var said = announcement(slot), !filter.rules.isEmpty else { return announcement(slot) }
    let key = routeTable[slot].key
    let candidate = FilterCandidate(
      key.prefix, source: key.source, neighbour: neighbour.filterAddress, routerID: said.routerID)
    guard let penalty = filter.metric(for: candidate) else { return nil }
    said.metric = said.metric + penalty
    return said.metric.isFinite ? said : nil
  }

  /// Whether a neighbour may ever be told about a prefix; else not even that it is gone.
  func mayHear(_ id: NeighbourID, of key: RouteKey) -> Bool {
    guard neighbourTable[id]?.settings.outbound.rules.isEmpty == false, let neighbour = neighbourTable[id]
    else { return true }
    return !neighbour.settings.outbound.deniesAnyOriginator(
      of: FilterCandidate(key.prefix, source: key.source, neighbour: neighbour.filterAddress))
  }

  /// Applies a neighbour's changed `Accept` and filter to what it has announced.
  mutating func refilter(_ id: NeighbourID, at now: Instant) {
    guard let settings = neighbourTable[id]?.settings else { return }
    for slot in slots(of: id) {
      let key = routeTable[slot].key
      guard let index = routeTable[slot].index(of: id), settings.accepts(key),
        let penalty = penalty(of: routeTable[slot].routes[index], key)
      else {
        retract(slot, id, because: .filtered, at: now)
        continue
      }
      guard penalty != routeTable[slot].routes[index].penalty else { continue }
      routeTable[slot].routes[index].penalty = penalty
      routeTable[slot].routes[index].setCost(cost(id), halfLife: timing.smoothing, at: now)
      reselect(slot, at: now)
      settle(slot)
    }
  }

  /// Tells a neighbour what a changed filter says otherwise than `former`.
  mutating func announceRefiltered(to id: NeighbourID, _ former: Filter, at now: Instant) {
    guard let neighbour = neighbourTable[id] else { return }
    for slot in 0..<routeTable.endSlot where routeTable.contains(slot) {
      guard announcement(slot, to: neighbour) != announcement(slot, to: neighbour, former) else { continue }
      announce(routeTable[slot].key, to: id, within: timing.urgent, repeats: Self.copies, at: now)
    }
  }
}

extension Neighbour {
  /// The address that `neigh` is compared with.
  fileprivate var filterAddress: IPv6Address? { linkLocals.last ?? settings.expected }
}
