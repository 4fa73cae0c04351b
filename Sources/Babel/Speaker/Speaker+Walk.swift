public import Net

/// A way through all destinations, in ascending order, that may take as long as it likes.
///
/// Holds their places and no rows, so that a large table can be told without a copy of it. What comes meanwhile is left
/// out, what goes is not told.
public struct RouteWalk: Sendable {
  fileprivate let slots: [UInt32]
  fileprivate var position = 0
  fileprivate var last: RouteKey?

  fileprivate init(_ slots: [UInt32]) {
    self.slots = slots
  }
}

extension Speaker {
  /// Begins a walk.
  public func routeWalk() -> RouteWalk {
    let slots = (0..<routeTable.endSlot).filter(routeTable.contains).map { UInt32($0) }
    return RouteWalk(slots.sorted { routeTable[Int($0)].key < routeTable[Int($1)].key })
  }

  /// The next destination of a walk and its part of the route table, as of `now`; `nil` at the end.
  public func nextRoutes(of walk: inout RouteWalk, at now: Instant) -> (key: RouteKey, routes: [RouteEntry])?
  {
    while walk.position < walk.slots.count {
      let slot = Int(walk.slots[walk.position])
      walk.position += 1
      guard routeTable.contains(slot) else { continue }
      let key = routeTable[slot].key
      // The place may belong to another destination by now.
      if let last = walk.last { guard last < key else { continue } }
      walk.last = key
      return (key, routes(to: key, at: now))
    }
    return nil
  }
}
