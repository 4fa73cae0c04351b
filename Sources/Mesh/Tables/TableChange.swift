internal import Net

/// A row of one of the tables that operators see.
public enum TableRow: Sendable, Equatable {
  /// The interface.
  case interface(InterfaceRow)
  /// A neighbour.
  case neighbour(NeighbourRow)
  /// A prefix of our own.
  case xroute(XrouteRow)
  /// A route of a neighbour, or a held prefix.
  case route(RouteRow)

  /// What stays the same when a row changes.
  enum Identity: Hashable {
    case interface
    case neighbour(UInt32)
    case xroute(IPPrefix, from: IPPrefix?)
    case route(IPPrefix, from: IPPrefix?, via: UInt32?)
  }

  var identity: Identity {
    switch self {
    case .interface: .interface
    case .neighbour(let row): .neighbour(row.number)
    case .xroute(let row): .xroute(row.prefix, from: row.source)
    case .route(let row): .route(row.prefix, from: row.source, via: row.via?.number)
    }
  }
}

/// A row that came, changed or went.
public struct TableChange: Sendable, Equatable {
  /// What happened to the row, in babeld's words.
  public enum Kind: String, Sendable {
    /// It is new.
    case add
    /// It has other values.
    case change
    /// It is gone.
    case flush
  }

  /// What happened.
  public var kind: Kind
  /// The row as it is now, or as it was before it went.
  public var row: TableRow

  /// Makes a change.
  public init(_ kind: Kind, _ row: TableRow) {
    self.kind = kind
    self.row = row
  }

  /// What makes `new` of `old`: first what went, then the rest in the order of `new`.
  static func changes(from old: [TableRow], to new: [TableRow]) -> [TableChange] {
    var changes: [TableChange] = []
    for row in old where !new.contains(where: { $0.identity == row.identity }) {
      changes.append(TableChange(.flush, row))
    }
    for row in new {
      guard let former = old.first(where: { $0.identity == row.identity }) else {
        changes.append(TableChange(.add, row))
        continue
      }
      if former != row { changes.append(TableChange(.change, row)) }
    }
    return changes
  }
}
