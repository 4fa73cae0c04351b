/// The routes to one destination: the first, which is the only one of most, lies in the row itself.
struct RouteList: Sendable, RandomAccessCollection, MutableCollection {
  private var first: Route?
  private var others: [Route] = []

  var startIndex: Int { 0 }
  var endIndex: Int { first == nil ? 0 : 1 + others.count }

  subscript(index: Int) -> Route {
    get {
      guard index == 0 else { return others[index - 1] }
      guard let first else { preconditionFailure("no route \(index)") }
      return first
    }
    _modify {
      if index > 0 {
        yield &others[index - 1]
      } else {
        guard var route = first else { preconditionFailure("no route \(index)") }
        defer { first = route }
        yield &route
      }
    }
  }

  /// Adds a route at the end.
  mutating func append(_ route: Route) {
    guard first != nil else {
      first = route
      return
    }
    if others.isEmpty { others.reserveCapacity(1) }
    others.append(route)
  }

  /// Removes a route; the others keep their order.
  mutating func remove(at index: Int) {
    if index > 0 {
      others.remove(at: index - 1)
    } else {
      first = others.isEmpty ? nil : others.removeFirst()
    }
  }
}
