internal import Net
internal import OrderedCollections

/// What may look different since an observer looked last.
struct Observation: Sendable {
  var neighbours: OrderedSet<NeighbourID> = []
  var keys: OrderedSet<RouteKey> = []
}

// For who follows the tables row by row. Nothing is noted while nobody does.
extension Speaker {
  /// Whether it is noted which rows of the neighbour and route tables are touched.
  public var isObserved: Bool {
    get { observation != nil }
    set {
      guard newValue != isObserved else { return }
      observation = newValue ? Observation() : nil
    }
  }

  /// The neighbours and destinations whose rows were touched since the last call, in the order of the first touch; some
  /// may be as they were, some gone.
  public mutating func takeTouched() -> (neighbours: [NeighbourID], keys: [RouteKey]) {
    guard let touched = observation else { return ([], []) }
    observation = Observation()
    return (Array(touched.neighbours), Array(touched.keys))
  }

  mutating func touch(_ id: NeighbourID) {
    observation?.neighbours.append(id)
  }

  mutating func touch(_ slot: RouteTable.Slot) {
    observation?.keys.append(routeTable[slot].key)
  }
}
