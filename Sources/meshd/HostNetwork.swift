import Mesh
import Net
import SystemPackage
import Tun

/// The host's side of the interface: its addresses, its MTU, and the kernel routes that lead into it.
///
/// Everything made here is remembered and taken back; routes and rules of others are never touched. All routes are marked
/// as a Babel daemon's (protocol 42).
struct HostNetwork: ~Copyable {
  private var netlink: Netlink
  private let index: UInt32
  private let table: Configuration.HostSettings.Table
  private var routes: Set<IPPrefix> = []
  private var sourceRoutes: SourceRoutes
  private var addresses: Set<Configuration.HostSettings.Address> = []
  private var defaultRoutes: [AddressFamily: DefaultRoute] = [:]

  /// What could not be done, as sentences for the log.
  private(set) var complaints: [String] = []

  init(interface index: UInt32, table: Configuration.HostSettings.Table) throws {
    netlink = try Netlink()
    self.index = index
    self.table = table
    sourceRoutes = SourceRoutes(interface: index)
    try? sourceRoutes.removeStale(by: &netlink)
  }

  /// Gives the interface its MTU and addresses and sets it up.
  ///
  /// Without IPv6 on the host, its addresses are left out.
  mutating func bringUp(_ settings: Configuration.HostSettings, linkLocal: IPv6Address?) throws {
    try netlink.apply(.setMTU(index, UInt32(settings.mtu ?? 1420)))
    attempt(
      .generateNoAddresses(index), "address generation could not be switched off",
      tolerating: [.notSupported, .invalidArgument, .addressFamilyNotSupported])
    update(settings, linkLocal: linkLocal)
    try netlink.apply(.setUp(index, true))
  }

  /// Makes the interface's addresses those of `settings`.
  mutating func update(_ settings: Configuration.HostSettings, linkLocal: IPv6Address?) {
    var wanted = settings.addresses
    if let linkLocal {
      wanted.append(Configuration.HostSettings.Address(address: .v6(linkLocal), prefixLength: 64))
    }
    for address in addresses.subtracting(wanted).sorted(by: { $0.address < $1.address }) {
      attempt(
        .removeAddress(kernelAddress(address)), "\(address.address) could not be removed",
        tolerating: [.addressNotAvailable])
      addresses.remove(address)
    }
    for address in wanted where !addresses.contains(address) {
      addresses.insert(address)
      attempt(
        .addAddress(kernelAddress(address)), "\(address.address) could not be added",
        // The last two: IPv6 is switched off on this host or interface.
        tolerating: [.fileExists] + (address.address.family == .v6 ? [.permissionDenied, .notSupported] : []))
    }
  }

  /// Changes the MTU.
  mutating func setMTU(_ mtu: Int) {
    attempt(.setMTU(index, UInt32(mtu)), "the MTU could not be set")
  }

  /// Makes the routes into the interface those of `prefixes`.
  ///
  /// Default routes go through a table of their own, as wg-quick does it, so that the carrying UDP packets,
  /// which bear `mark`, stay outside.
  mutating func setRoutes(_ prefixes: [HostPrefix], mark: UInt32) {
    guard table != .off else { return }
    setPlainRoutes(prefixes.filter { $0.source == nil }.map(\.destination), mark: mark)
    let specific = prefixes.filter { $0.source != nil }
    do {
      for refusal in try sourceRoutes.set(
        specific.map { route($0.destination, from: $0.source) }, by: &netlink)
      {
        complaints.append("\(Self.words(refusal.route)) could not be changed: \(refusal.error)")
      }
    } catch {
      complaints.append("the kernel did not answer: \(error)")
    }
  }

  private mutating func setPlainRoutes(_ prefixes: [IPPrefix], mark: UInt32) {
    let wanted = Set(prefixes)
    let gone = routes.subtracting(wanted).sorted()
    let new = prefixes.filter { !routes.contains($0) }
    routes = wanted
    var changes: [NetlinkChange] = []
    for prefix in gone where !takesOwnTable(prefix) { changes.append(.removeRoute(route(prefix))) }
    for prefix in new where !takesOwnTable(prefix) { changes.append(.addRoute(route(prefix))) }
    apply(changes)
    for prefix in gone where takesOwnTable(prefix) { removeDefault(prefix.family) }
    for prefix in new where takesOwnTable(prefix) { addDefault(prefix.family, mark: mark) }
  }

  /// Takes back what was made.
  ///
  /// The interface's own addresses go with it.
  mutating func tearDown() {
    setRoutes([], mark: 0)
  }

  private func takesOwnTable(_ prefix: IPPrefix) -> Bool {
    prefix.isDefault && table == .auto
  }

  private func route(_ prefix: IPPrefix, from source: IPPrefix? = nil) -> KernelRoute {
    var route = KernelRoute(to: prefix, interface: index)
    route.source = source
    if case .number(let number) = table { route.table = number }
    return route
  }

  private func kernelAddress(_ address: Configuration.HostSettings.Address) -> InterfaceAddress {
    InterfaceAddress(address.address, prefixLength: address.prefixLength, interface: index)
  }

  private mutating func addDefault(_ family: AddressFamily, mark: UInt32) {
    guard mark != 0 else {
      complaints.append("a default route needs FwMark: none was made")
      return
    }
    let route = DefaultRoute(family, interface: index, mark: mark)
    defaultRoutes[family] = route
    apply(route.additions)
  }

  private mutating func removeDefault(_ family: AddressFamily) {
    guard let route = defaultRoutes.removeValue(forKey: family) else { return }
    apply(route.removals)
  }

  /// Applies changes; one that the kernel refuses is a complaint, unless what it wants is so already.
  private mutating func apply(_ changes: [NetlinkChange]) {
    guard !changes.isEmpty else { return }
    do {
      for refusal in try netlink.apply(changes) where !isExpected(refusal.error.errno, changes[refusal.index])
      {
        complaints.append("\(Self.words(changes[refusal.index])): \(refusal.error)")
      }
    } catch {
      complaints.append("the kernel did not answer: \(error)")
    }
  }

  /// Whether the kernel's refusal is no news: what was to be made is there, what was to go has gone, or IPv6 is switched
  /// off and its routes lead nowhere anyway.
  private func isExpected(_ error: Errno, _ change: NetlinkChange) -> Bool {
    switch change {
    case .addRoute(let route) where route.destination.family == .v6 && error == .permissionDenied: true
    default: [.fileExists, .noSuchProcess].contains(error)
    }
  }

  private mutating func attempt(_ change: NetlinkChange, _ failure: String, tolerating: [Errno] = []) {
    do {
      try netlink.apply(change)
    } catch {
      guard !tolerating.contains(error.errno) else { return }
      complaints.append("\(failure): \(error)")
    }
  }

  private static func words(_ route: KernelRoute) -> String {
    "the route to \(route.destination)" + (route.source.map { " from \($0)" } ?? "")
  }

  private static func words(_ change: NetlinkChange) -> String {
    switch change {
    case .addRoute(let route): "\(words(route)) could not be made"
    case .removeRoute(let route): "\(words(route)) could not be removed"
    case .addRule(let rule), .removeRule(let rule): "the rule for table \(rule.table) could not be changed"
    default: "the interface could not be changed"
    }
  }

  /// Takes the complaints so far.
  mutating func takeComplaints() -> [String] {
    defer { complaints = [] }
    return complaints
  }
}
