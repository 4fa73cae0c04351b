public import Net
internal import OrderedCollections

// Who may originate what. Router-ids are not authenticated, so this keeps a node from attracting what is not its own by
// announcing it, not from forging another's announcement; that takes signatures, which Babel does not have.
extension Speaker {
  /// Has updates for a prefix used only if one of its owners originated them; `nil` is anybody.
  ///
  /// Routes to it from some sources only are no exception, since they would come before its own. What is known already is
  /// looked at again.
  public mutating func bind(_ prefix: IPPrefix, to owners: [PrefixOwner]?, at now: Instant) {
    let old = bindings[prefix]
    guard old?.owners != owners else { return }
    bindings[prefix] = owners.map { OriginBinding($0, keeping: old) }
    dropForeignOrigins(of: prefix, at: now)
    for key in old?.refused ?? [] { askEverybody(for: key) }
  }

  /// Whether an update from a neighbour has an originator that may announce the prefix.
  mutating func isOriginAdmitted(_ routerID: RouterID, _ key: RouteKey, from id: NeighbourID, at now: Instant)
    -> Bool
  {
    guard var binding = bindings[key.prefix] else { return true }
    if neighbourTable[id]?.isMeshd == false, binding.hear(routerID, from: id) {
      let refused = binding.takeRefused()
      bindings[key.prefix] = binding
      dropForeignOrigins(of: key.prefix, at: now)
      for key in refused { askEverybody(for: key) }
    }
    guard !binding.admits(routerID) else { return true }
    bindings[key.prefix]?.refuse(key)
    return false
  }

  private mutating func dropForeignOrigins(of prefix: IPPrefix, at now: Instant) {
    guard let binding = bindings[prefix] else { return }
    for slot in 0..<routeTable.endSlot where routeTable.contains(slot) {
      let key = routeTable[slot].key
      guard key.prefix == prefix else { continue }
      for route in routeTable[slot].routes where !binding.admits(route.routerID) {
        bindings[prefix]?.refuse(key)
        count(.foreignOrigin, from: route.neighbour)
        retract(slot, route.neighbour, because: .filtered, at: now)
      }
    }
  }

  /// Asks for updates that were not stored when they came.
  mutating func askEverybody(for key: RouteKey) {
    for (id, neighbour) in neighbourTable where neighbour.isHeard {
      send([.routeRequest(RouteRequest(prefix: key.prefix, source: key.source))], to: id)
    }
  }

  /// Counts an update that is not used.
  mutating func count(_ reason: UpdateRefusals.Reason, from id: NeighbourID) {
    counters.refusals.count(reason)
    neighbourTable[id]?.refusals.count(reason)
    guard reason == .overLimit, neighbourTable[id]?.isOverLimit == false else { return }
    neighbourTable[id]?.isOverLimit = true
    emit(.prefixLimitReached(id))
  }
}

/// Updates that were not used, by reason.
public struct UpdateRefusals: Sendable, Equatable {
  /// Why an update was not used.
  public enum Reason: String, Sendable, CaseIterable {
    /// The neighbour may not announce the prefix, or announced it in our name.
    case filtered = "update filtered"
    /// The prefix belongs to a peer that is not the originator.
    case foreignOrigin = "update of a foreign origin"
    /// The neighbour announces as many prefixes as it may already.
    case overLimit = "update over the prefix limit"
  }

  private var counts: InlineArray<3, UInt64> = [0, 0, 0]

  /// No refusals.
  public init() {}

  /// How many updates were refused for this reason.
  public subscript(reason: Reason) -> UInt64 { counts[Self.index(of: reason)] }

  mutating func count(_ reason: Reason) {
    counts[Self.index(of: reason)] += 1
  }

  private static func index(of reason: Reason) -> Int {
    switch reason {
    case .filtered: 0
    case .foreignOrigin: 1
    case .overLimit: 2
    }
  }

  /// Whether all counts are the same.
  public static func == (lhs: UpdateRefusals, rhs: UpdateRefusals) -> Bool {
    Reason.allCases.allSatisfy { lhs[$0] == rhs[$0] }
  }
}
