internal import OrderedCollections

/// One row per neighbour, in the order in which they were added.
///
/// An `OrderedDictionary` moves a row out and back for every change; here it is changed, and read, where it is.
struct NeighbourMap<Row: Sendable>: Sendable {
  /// The neighbours.
  private(set) var keys: OrderedSet<NeighbourID> = []
  /// In the same order, none of them `nil`.
  private var rows: [Row?] = []

  /// The row of a neighbour; `nil` removes it.
  subscript(id: NeighbourID) -> Row? {
    _read {
      if let index = keys.firstIndex(of: id) {
        yield rows.span[index]
      } else {
        yield nil
      }
    }
    _modify {
      if let index = keys.firstIndex(of: id) {
        defer { if rows[index] == nil { remove(id, index) } }
        yield &rows[index]
      } else {
        var row: Row?
        defer { if let row { append(row, of: id) } }
        yield &row
      }
    }
  }

  private mutating func append(_ row: Row, of id: NeighbourID) {
    keys.append(id)
    rows.append(row)
  }

  private mutating func remove(_ id: NeighbourID, _ index: Int) {
    keys.remove(id)
    rows.remove(at: index)
  }

  /// Removes a neighbour and returns its row.
  mutating func removeValue(forKey id: NeighbourID) -> Row? {
    guard let index = keys.firstIndex(of: id) else { return nil }
    defer { remove(id, index) }
    return rows[index]
  }
}

extension NeighbourMap: Sequence {
  /// Visits the neighbours with their rows.
  func makeIterator() -> some IteratorProtocol<(key: NeighbourID, value: Row)> {
    zip(keys, rows).lazy.compactMap { key, row in row.map { (key: key, value: $0) } }.makeIterator()
  }
}
