import Net
import Tun

/// A default route into the interface that leaves the carrying UDP packets outside: wg-quick's arrangement.
///
/// Packets without the mark ask a table of their own, which has the route; before that, all packets ask the main table for
/// anything more specific than a default route.
struct DefaultRoute {
  private let route: KernelRoute
  private let rules: [PolicyRule]

  /// The table has the mark as its number.
  init(_ family: AddressFamily, interface: UInt32, mark: UInt32) {
    var route = KernelRoute(to: family == .v4 ? .defaultIPv4 : .defaultIPv6, interface: interface)
    route.table = mark
    self.route = route
    var own = PolicyRule(family, table: mark)
    own.mark = mark
    own.isInverted = true
    var main = PolicyRule(family, table: KernelRoute.mainTable)
    main.suppressedPrefixLength = 0
    rules = [own, main]
  }

  /// The changes that make it, in order.
  var additions: [NetlinkChange] { [.addRoute(route)] + rules.map { .addRule($0) } }

  /// The changes that take it back.
  var removals: [NetlinkChange] { rules.reversed().map { .removeRule($0) } + [.removeRoute(route)] }
}
