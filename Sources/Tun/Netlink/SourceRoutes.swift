internal import Net
internal import SystemPackage

/// The routes into one interface that are for packets from some sources only (RFC 9079).
///
/// An IPv6 default route names its sources itself where the kernel was built for that (`CONFIG_IPV6_SUBTREES`). Below
/// the default route, though, such a route makes the kernel overlook the one to the very same prefix from anywhere (seen
/// with Linux 6.18). All others are policy rules, one for each, that lead to a table with nothing but a default route into the interface. Before each
/// of them another asks the main table, for the same packets, for any longer prefix: the destination counts first. Rules
/// for longer destinations come before those for shorter ones.
///
/// Rules outlive their interface. Those of a crashed daemon are known by their table, which has the interface's index in
/// its number, and are removed by the next one.
public struct SourceRoutes: Sendable {
  /// A route that could not be made or removed.
  public struct Refusal: Sendable, Equatable {
    /// The route.
    public let route: KernelRoute
    /// Why.
    public let error: NetlinkError
  }

  private let interface: UInt32
  /// Whether the kernel takes IPv6 routes with sources; `nil` before the first.
  private var hasSubtrees: Bool?
  private var routes: Set<KernelRoute> = []
  /// The families whose rules have a table to lead to.
  private var familiesWithTable: Set<AddressFamily> = []

  /// No route as yet.
  ///
  /// Without `triesSubtrees`, IPv6 is done as IPv4 is.
  public init(interface: UInt32, triesSubtrees: Bool = true) {
    self.interface = interface
    hasSubtrees = triesSubtrees ? nil : false
  }

  /// Makes the routes those of `wanted`, which all have a source and lead into the interface.
  ///
  /// Rules only ask the main table: a route for another one, if it would need a rule, is refused.
  public mutating func set(
    _ wanted: [KernelRoute], by netlink: inout Netlink
  ) throws(NetlinkError) -> [Refusal] {
    var refusals: [Refusal] = []
    for route in routes.subtracting(wanted).sorted(by: Self.precedes) {
      routes.remove(route)
      refusals += try apply(removals(of: route), for: route, by: &netlink)
    }
    for route in Set(wanted).subtracting(routes).sorted(by: Self.precedes) {
      if needsRule(route), route.table != KernelRoute.mainTable {
        refusals.append(Refusal(route: route, error: NetlinkError(.notSupported)))
        continue
      }
      routes.insert(route)
      var new = try apply(additions(of: route), for: route, by: &netlink)
      if !needsRule(route), hasSubtrees == nil {
        hasSubtrees = !new.contains { $0.error.errno == .invalidArgument }
        if hasSubtrees == false {
          routes.remove(route)
          return try refusals + set(wanted, by: &netlink)
        }
      }
      new.removeAll { $0.error.errno == .fileExists }
      refusals += new
    }
    for family in AddressFamily.allCases { refusals += try removeIdleTable(of: family, by: &netlink) }
    return refusals
  }

  /// Removes the rules of daemons that ended without doing so: those whose interface no longer exists, and those of a former
  /// user of this one.
  ///
  /// To be called before the first `set`.
  public func removeStale(by netlink: inout Netlink) throws(NetlinkError) {
    let living = try netlink.links().map(\.index).filter { $0 != interface }
    var changes: [NetlinkChange] = []
    for family in AddressFamily.allCases {
      let ours = try netlink.rules(family).filter { $0.origin == KernelRoute.babel && $0.source != nil }
      for rule in ours where Self.isTable(rule.table) && !living.contains(rule.table & Self.indexMask) {
        changes.append(.removeRule(rule))
        var first = rule
        first.table = KernelRoute.mainTable
        first.priority -= 1
        first.suppressedPrefixLength = UInt32(rule.destination?.length ?? 0)
        if ours.contains(first) { changes.append(.removeRule(first)) }
      }
    }
    _ = try netlink.apply(changes)
  }
}

extension SourceRoutes {
  /// Tables of ours have an `m` in their first octet, so that they keep clear of those that people number.
  private static let tableMark: UInt32 = 0x6D00_0000
  private static let indexMask: UInt32 = 0x00FF_FFFF
  /// Before wg-quick's rules and the main table's own, after most that people make.
  private static let firstPriority: UInt32 = 32_000

  private static func isTable(_ table: UInt32) -> Bool { table & ~indexMask == tableMark }

  private var table: UInt32 { Self.tableMark | interface & Self.indexMask }

  private func needsRule(_ route: KernelRoute) -> Bool {
    route.destination.family == .v4 || !route.destination.isDefault || hasSubtrees == false
  }

  private func tableRoute(_ family: AddressFamily) -> KernelRoute {
    var route = KernelRoute(to: family == .v4 ? .defaultIPv4 : .defaultIPv6, interface: interface)
    route.table = table
    return route
  }

  /// The rules in the order in which the kernel asks them.
  private func rules(of route: KernelRoute) -> [PolicyRule] {
    let length = UInt32(route.destination.length)
    var main = PolicyRule(route.destination.family, table: KernelRoute.mainTable)
    main.source = route.source
    main.destination = route.destination.isDefault ? nil : route.destination
    main.priority = Self.firstPriority + 2 * (128 - length)
    main.suppressedPrefixLength = length
    var own = main
    own.table = table
    own.priority += 1
    own.suppressedPrefixLength = nil
    return [main, own]
  }

  private mutating func additions(of route: KernelRoute) -> [NetlinkChange] {
    guard needsRule(route) else { return [.addRoute(route)] }
    let family = route.destination.family
    let table: [NetlinkChange] =
      familiesWithTable.insert(family).inserted ? [.addRoute(tableRoute(family))] : []
    return table + rules(of: route).map { .addRule($0) }
  }

  private func removals(of route: KernelRoute) -> [NetlinkChange] {
    needsRule(route) ? rules(of: route).reversed().map { .removeRule($0) } : [.removeRoute(route)]
  }

  private mutating func removeIdleTable(
    of family: AddressFamily, by netlink: inout Netlink
  ) throws(NetlinkError) -> [Refusal] {
    guard familiesWithTable.contains(family),
      !routes.contains(where: { $0.destination.family == family && needsRule($0) })
    else { return [] }
    familiesWithTable.remove(family)
    let route = tableRoute(family)
    return try apply([.removeRoute(route)], for: route, by: &netlink)
  }

  /// Applies the changes for one route; what is gone already needs no removal.
  private func apply(
    _ changes: [NetlinkChange], for route: KernelRoute, by netlink: inout Netlink
  ) throws(NetlinkError) -> [Refusal] {
    try netlink.apply(changes).compactMap { refusal in
      let isGone = [.noSuchProcess, .noSuchFileOrDirectory].contains(refusal.error.errno)
      switch changes[refusal.index] {
      case .removeRoute where isGone, .removeRule where isGone: return nil
      default: return Refusal(route: route, error: refusal.error)
      }
    }
  }

  /// By destination and source, to have an order at all.
  private static func precedes(_ lhs: KernelRoute, _ rhs: KernelRoute) -> Bool {
    guard lhs.destination == rhs.destination, let mine = lhs.source, let other = rhs.source else {
      return lhs.destination < rhs.destination
    }
    return mine < other
  }
}
