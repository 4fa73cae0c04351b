import Net
import Tun

/// A routing table that our own UDP packets, which bear a mark, do not ask: wg-quick's arrangement for default routes.
///
/// Packets without the mark ask it; before that, all packets ask the main table for anything more specific than a default
/// route.
struct UnmarkedTable {
  /// The number of the table, which is that of the mark.
  let number: UInt32
  private let own: PolicyRule
  private let main: PolicyRule

  init(_ family: AddressFamily, mark: UInt32) {
    number = mark
    var own = PolicyRule(family, table: mark)
    own.mark = mark
    own.isInverted = true
    self.own = own
    var main = PolicyRule(family, table: KernelRoute.mainTable)
    main.suppressedPrefixLength = 0
    self.main = main
  }

  /// The changes that have packets ask the table, in order.
  var additions: [NetlinkChange] { [.addRule(own), .addRule(main)] }

  /// The changes that take this back.
  var removals: [NetlinkChange] { [.removeRule(main), .removeRule(own)] }

  /// The changes that take back what a daemon has left that could not: `rules` are all there are, `isEmpty` says whether a
  /// table has no route, for a device takes its routes with it when it goes.
  static func leftovers(
    _ family: AddressFamily, in rules: [PolicyRule], isEmpty: (UInt32) -> Bool
  ) -> [NetlinkChange] {
    let marks = rules.filter { $0.origin == KernelRoute.babel && $0.isInverted && $0.mark == $0.table }
      .map(\.table)
    let tables = marks.filter(isEmpty).map { UnmarkedTable(family, mark: $0) }
    // Each has its rule for the main table.
    return tables.flatMap(\.removals)
  }
}
