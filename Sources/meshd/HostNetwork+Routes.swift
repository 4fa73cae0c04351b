import Mesh
import Net
import SystemPackage
import Tun

// The kernel routes into the interface.
extension HostNetwork {
  /// The host sends packets to the prefixes `added` into the interface from now on, to those `removed` no longer.
  mutating func change(added: [HostPrefix], removed: [HostPrefix]) {
    let plain = { (packets: [HostPrefix]) in packets.filter { $0.source == nil }.map(\.destination) }
    reconcile(wanted: plain(added), unwanted: plain(removed))
    wantedFromSources.subtract(removed)
    wantedFromSources.formUnion(added.filter { $0.source != nil })
    if (added + removed).contains(where: { $0.source != nil }) { updateSourceRoutes() }
  }

  /// Our own UDP packets go to these addresses, in ascending order.
  mutating func setUnderlay(_ addresses: [IPAddress]) {
    plan.underlay = addresses
    reconcileAll()
  }

  /// Our own UDP packets bear this mark.
  mutating func setMark(_ mark: UInt32) {
    guard mark != self.mark else { return }
    // The table has the number of the mark: what is in it moves.
    plan.hasUnmarkedTable = false
    reconcileAll()
    self.mark = mark
    plan.hasUnmarkedTable = table == .auto && mark != 0
    reconcileAll()
  }

  /// Finds out which networks the other interfaces are attached to.
  mutating func refreshNetworks() {
    guard let links = try? netlink.links(), let addresses = try? netlink.addresses() else { return }
    let names = Dictionary(links.filter { $0.isUp && $0.index != index }.map { ($0.index, $0.name) }) { $1 }
    let networks = addresses.compactMap { address -> (prefix: IPPrefix, interface: String)? in
      guard let name = names[address.interface], !address.address.isLinkLocal,
        let prefix = IPPrefix(address.address, length: Int(address.prefixLength))
      else { return nil }
      return (prefix, name)
    }
    guard !networks.elementsEqual(plan.onLink, by: ==) else { return }
    plan.onLink = networks
    reconcileAll()
  }

  /// A route has gone: one of ours that we still want, or another's that was in the way.
  mutating func routeVanished(_ route: KernelRoute) {
    guard let place = places[route.destination], route.source == nil else { return }
    switch place {
    case .nowhere(.foreignRoute): guard route.table == sharedTable else { return }
    case .shared, .unmarked:
      guard route.origin == KernelRoute.babel, route.interface == index, route.table == number(of: place)
      else { return }
    case .nowhere: return
    }
    setPlace(of: route.destination, nil)
    reconcile(wanted: [route.destination])
  }

  /// Compares what we have made with what there is, after news were lost.
  mutating func resynchronise() {
    guard table != .off else { return }
    var changes: [NetlinkChange] = []
    for family in AddressFamily.allCases {
      for place in [HostRoutePlan.Place.shared, .unmarked] {
        guard let found = ours(family, in: number(of: place)) else { return }
        for prefix in found where places[prefix] != place {
          changes.append(.removeRoute(route(prefix, place)))
        }
        for (prefix, known) in places
        where known == place && prefix.family == family && !found.contains(prefix) {
          changes.append(.addRoute(route(prefix, place)))
        }
      }
    }
    apply(changes)
    // What was in the way may have gone.
    let obstructed = places.filter { $0.value == .nowhere(.foreignRoute) }.map(\.key)
    for prefix in obstructed { setPlace(of: prefix, nil) }
    reconcile(wanted: obstructed)
  }

  /// Takes back what was made.
  ///
  /// The interface's own addresses go with it.
  mutating func tearDown() {
    change(added: [], removed: places.keys.map { HostPrefix($0) } + wantedFromSources)
  }

  /// The prefixes that lead to peers and that the host does not use, in ascending order.
  var unused: [(prefix: HostPrefix, reason: String)] {
    let plain = places.compactMap { prefix, place -> (prefix: HostPrefix, reason: String)? in
      if case .nowhere(let obstacle) = place { (HostPrefix(prefix), obstacle.description) } else { nil }
    }
    return (plain + obstacles.map { ($0, $1.description) }).sorted { $0.prefix < $1.prefix }
  }

  private mutating func reconcileAll() {
    reconcile(wanted: Array(places.keys))
    updateSourceRoutes()
  }

  /// Brings the kernel's routes for some sources up to date with the plan.
  mutating func updateSourceRoutes() {
    guard table != .off else { return }
    var routes: [KernelRoute] = []
    var obstacles: [HostPrefix: HostRoutePlan.Obstacle] = [:]
    for packets in wantedFromSources.sorted() {
      let used =
        if let exitUsers, packets.destination.isDefault { packets.narrowed(to: exitUsers) } else { [packets] }
      for packets in used {
        if let obstacle = plan.obstacle(to: packets) {
          obstacles[packets] = obstacle
          if self.obstacles[packets] == nil { complain(about: packets, obstacle) }
        } else {
          routes.append(route(packets, in: sharedTable))
        }
      }
    }
    self.obstacles = obstacles
    do {
      for refusal in try sourceRoutes.set(routes, by: &netlink) {
        complaints.append("\(Self.words(refusal.route)) could not be changed: \(refusal.error)")
      }
    } catch {
      complaints.append("the kernel did not answer: \(error)")
    }
  }

  /// Brings the kernel's routes to some prefixes up to date with the plan.
  private mutating func reconcile(wanted: [IPPrefix], unwanted: [IPPrefix] = []) {
    guard table != .off else { return }
    let before = unmarkedFamilies
    var removals: [NetlinkChange] = []
    var additions: [NetlinkChange] = []
    for (prefix, new) in unwanted.map({ ($0, nil) }) + wanted.map({ ($0, plan.place(of: $0)) }) {
      let old = places[prefix]
      // What another's route keeps out stays out until that goes.
      if old == new || (old == .nowhere(.foreignRoute) && new == .shared) { continue }
      if let old, old.isSomewhere { removals.append(.removeRoute(route(prefix, old))) }
      if let new, new.isSomewhere { additions.append(.addRoute(route(prefix, new))) }
      setPlace(of: prefix, new)
      if case .nowhere(let obstacle)? = new { complain(about: HostPrefix(prefix), obstacle) }
    }
    let after = unmarkedFamilies
    for family in before.subtracting(after) {
      removals = UnmarkedTable(family, mark: mark).removals + removals
    }
    for family in after.subtracting(before) { additions += UnmarkedTable(family, mark: mark).additions }
    apply(removals + additions)
  }

  /// The families with routes in the table that our own packets do not ask.
  private var unmarkedFamilies: Set<AddressFamily> {
    Set(unmarked.map(\.family))
  }

  private mutating func setPlace(of prefix: IPPrefix, _ place: HostRoutePlan.Place?) {
    places[prefix] = place
    if place == .unmarked { unmarked.insert(prefix) } else { unmarked.remove(prefix) }
  }

  private mutating func complain(about packets: HostPrefix, _ obstacle: HostRoutePlan.Obstacle) {
    complaints.append("\(packets) is not used by this host, only carried for others: \(obstacle)")
  }

  private var sharedTable: UInt32 {
    if case .number(let number) = table { number } else { KernelRoute.mainTable }
  }

  private func number(of place: HostRoutePlan.Place) -> UInt32 {
    place == .unmarked ? mark : sharedTable
  }

  private func route(_ prefix: IPPrefix, _ place: HostRoutePlan.Place) -> KernelRoute {
    route(HostPrefix(prefix), in: number(of: place))
  }

  private func route(_ packets: HostPrefix, in table: UInt32) -> KernelRoute {
    var route = KernelRoute(to: packets.destination, interface: index)
    route.source = packets.source
    route.table = table
    return route
  }

  /// The prefixes with a route of ours in a table; `nil` if the kernel does not say.
  private mutating func ours(_ family: AddressFamily, in table: UInt32) -> Set<IPPrefix>? {
    guard table != 0 else { return [] }
    let index = index
    guard let routes = try? netlink.routes(family, origin: KernelRoute.babel, table: table) else {
      return nil
    }
    return Set(routes.lazy.filter { $0.interface == index && $0.source == nil }.map(\.destination))
  }

  /// Removes what a daemon that crashed has left behind: rules; its routes went with its device.
  mutating func removeLeftovers() {
    try? sourceRoutes.removeStale(by: &netlink)
    for family in AddressFamily.allCases {
      guard let rules = try? netlink.rules(family) else { continue }
      let candidates = Set(rules.filter(\.isInverted).map(\.table))
      var empty: Set<UInt32> = []
      for table in candidates where (try? netlink.routes(family, table: table))?.isEmpty == true {
        empty.insert(table)
      }
      apply(UnmarkedTable.leftovers(family, in: rules) { empty.contains($0) })
    }
  }

  /// Applies changes, and finds out why routes could not be made.
  private mutating func apply(_ changes: [NetlinkChange]) {
    guard !changes.isEmpty else { return }
    do {
      var existing: [IPPrefix] = []
      for refusal in try netlink.apply(changes) {
        switch (changes[refusal.index], refusal.error.errno) {
        case (.addRoute(let route), .fileExists): existing.append(route.destination)
        // IPv6 is switched off, and its routes lead nowhere anyway.
        case (.addRoute(let route), .permissionDenied) where route.destination.family == .v6: break
        case (_, .fileExists), (_, .noSuchProcess), (_, .noSuchFileOrDirectory): break
        case (let change, _): complaints.append("\(Self.words(change)): \(refusal.error)")
        }
      }
      if !existing.isEmpty { giveWay(existing) }
    } catch {
      complaints.append("the kernel did not answer: \(error)")
    }
  }

  /// Leaves prefixes alone to which there is a route that we have not made.
  private mutating func giveWay(_ prefixes: [IPPrefix]) {
    for family in AddressFamily.allCases {
      let affected = prefixes.filter { $0.family == family }
      guard !affected.isEmpty, let ours = ours(family, in: sharedTable) else { continue }
      for prefix in affected where places[prefix] == .shared && !ours.contains(prefix) {
        setPlace(of: prefix, .nowhere(.foreignRoute))
        complain(about: HostPrefix(prefix), .foreignRoute)
      }
    }
  }

  private static func words(_ route: KernelRoute) -> String {
    "the route to \(HostPrefix(route.destination, from: route.source))"
  }

  private static func words(_ change: NetlinkChange) -> String {
    switch change {
    case .addRoute(let route): "\(words(route)) could not be made"
    case .removeRoute(let route): "\(words(route)) could not be removed"
    case .addRule(let rule), .removeRule(let rule): "the rule for table \(rule.table) could not be changed"
    default: "the interface could not be changed"
    }
  }
}

extension HostRoutePlan.Place {
  /// Whether there is a kernel route.
  fileprivate var isSomewhere: Bool {
    switch self {
    case .shared, .unmarked: true
    case .nowhere: false
    }
  }
}
