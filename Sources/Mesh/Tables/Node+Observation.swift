internal import Babel
public import Net

/// The rows that observers have been told.
struct ToldTables {
  var interface: TableRow
  // Looked up, and sorted before their order reaches anything.
  var neighbours: [NeighbourID: TableRow] = [:]
  var destinations: [RouteKey: [TableRow]] = [:]
}

// Who follows the tables is told what changed, once per turn.
extension Node {
  /// Whether changes of the tables come out as outputs.
  ///
  /// Costs a copy of the tables while it is on.
  public var isObserved: Bool { told != nil }

  /// Begins or ends telling; what there is at the beginning is not told.
  public mutating func setObserved(_ isObserved: Bool, at now: Instant) {
    guard isObserved != self.isObserved else { return }
    speaker?.isObserved = isObserved
    guard isObserved else {
      told = nil
      return
    }
    var tables = ToldTables(interface: .interface(interfaceRow))
    for view in speaker?.neighbours ?? [] {
      tables.neighbours[view.id] = row(of: view).map { .neighbour($0) }
    }
    for entry in speaker?.routes(at: now) ?? [] {
      tables.destinations[entry.key, default: []].append(row(of: entry))
    }
    told = tables
  }

  /// Tells what the turn has changed.
  mutating func tellObservers() {
    guard let former = told?.interface else { return }
    let interface = TableRow.interface(interfaceRow)
    tell(TableChange.changes(from: [former], to: [interface]))
    told?.interface = interface
    guard let touched = speaker?.takeTouched() else { return }
    tell(touched.neighbours, touched.keys)
  }

  /// Tells that the speaker has gone, and all rows with it.
  mutating func tellOfLostSpeaker() {
    guard let told else { return }
    tell(told.neighbours.keys.sorted(), told.destinations.keys.sorted())
  }

  private mutating func tell(_ neighbours: [NeighbourID], _ keys: [RouteKey]) {
    for id in neighbours {
      let view = speaker?.neighbour(id)
      let current = view.flatMap { row(of: $0) }.map { TableRow.neighbour($0) }
      let former = told?.neighbours[id]
      tell(TableChange.changes(from: former.map { [$0] } ?? [], to: current.map { [$0] } ?? []))
      told?.neighbours[id] = current
    }
    for key in keys {
      let rows = rows(to: key, at: now)
      tell(TableChange.changes(from: told?.destinations[key] ?? [], to: rows))
      told?.destinations[key] = rows.isEmpty ? nil : rows
    }
  }

  private mutating func tell(_ changes: [TableChange]) {
    for change in changes { outbox.append(.change(change)) }
  }
}
