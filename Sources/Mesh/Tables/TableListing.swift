internal import Babel
public import Net

/// A table as text, made in pages: it may be longer than what the daemon wants to hold at once.
///
/// Every page is of the moment in which it is made.
public struct TableListing: Sendable {
  /// Which table.
  public enum Table: Sendable, Equatable {
    /// The routes of the neighbours and the held prefixes; without `all`, only those that packets follow.
    case routes(all: Bool)
    /// What this node announces itself.
    case xroutes
  }

  /// Destinations on one page.
  static let pageSize = 128

  fileprivate let table: Table
  fileprivate let form: UAPIRequest.Form
  fileprivate var walk: RouteWalk
  /// The width of the column of prefixes.
  fileprivate var width = 0
  /// Whether nothing was written yet.
  fileprivate var isEmpty = true
  /// Whether the last page was made.
  fileprivate var isComplete = false
  /// The beginning of a line that ends on the next page.
  fileprivate var rest = ""

  fileprivate init(_ table: Table, _ form: UAPIRequest.Form, _ walk: RouteWalk) {
    self.table = table
    self.form = form
    self.walk = walk
  }
}

extension Node {
  /// Begins to list a table; `nil` if no Babel is spoken.
  public func listing(of table: TableListing.Table, in form: UAPIRequest.Form, at now: Instant)
    -> TableListing?
  {
    guard let speaker else { return nil }
    var listing = TableListing(table, form, speaker.routeWalk())
    guard form == .text else { return listing }
    var walk = listing.walk
    while let (key, entries) = speaker.nextRoutes(of: &walk, at: now) {
      guard entries.contains(where: { listing.shows($0) }) else { continue }
      listing.width = max(listing.width, RoutingText.destination(key.prefix, key.source).utf8.count)
    }
    return listing
  }

  /// The next lines, all of them whole; `nil` at the end.
  public func nextPage(of listing: inout TableListing, at now: Instant) -> String? {
    guard !listing.isComplete else { return nil }
    var rows: [TableRow] = []
    for _ in 0..<TableListing.pageSize {
      guard let (_, entries) = speaker.flatMap({ $0.nextRoutes(of: &listing.walk, at: now) }) else {
        listing.isComplete = true
        break
      }
      for entry in entries where listing.shows(entry) { rows.append(row(of: entry)) }
    }
    return listing.page(rows)
  }
}

extension TableListing {
  fileprivate func shows(_ entry: RouteEntry) -> Bool {
    switch table {
    case .xroutes: return entry.verdict == .local
    case .routes(let all):
      guard entry.verdict != .local else { return false }
      return all || entry.verdict == .selected || entry.verdict == .held
    }
  }

  /// The page with these rows.
  fileprivate mutating func page(_ rows: [TableRow]) -> String {
    guard form == .json else { return rows.map { RoutingText.line($0, width: width) }.joined() }
    for row in rows {
      rest += JSON.object(RoutingJSON.members(of: row)).element(isFirst: isEmpty)
      isEmpty = false
    }
    if isComplete { rest += JSON.arrayEnd(isEmpty: isEmpty) }
    guard let end = rest.utf8.lastIndex(of: UInt8(ascii: "\n")) else { return "" }
    defer { rest = String(rest[rest.utf8.index(after: end)...]) }
    return String(rest[...end])
  }
}
