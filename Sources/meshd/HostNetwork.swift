import Mesh
import Net
import SystemPackage
import Tun

/// The host's side of the interface: its addresses, its MTU, and the kernel routes that lead into it.
///
/// Everything made here is remembered and taken back; routes and rules of others are never touched. All routes are marked
/// as a Babel daemon's (protocol 42).
struct HostNetwork: ~Copyable {
  var netlink: Netlink
  let index: UInt32
  let table: Configuration.HostSettings.Table
  private var addresses: Set<Configuration.HostSettings.Address> = []

  /// The mark on our own UDP packets; 0 is none.
  var mark: UInt32
  var plan = HostRoutePlan()
  /// The prefixes that lead to peers, and what became of each of them.
  var places: [IPPrefix: HostRoutePlan.Place] = [:]
  /// Those of them in the table that our own packets do not ask: few, if any.
  var unmarked: Set<IPPrefix> = []
  /// The prefixes that lead to peers for packets from some sources only.
  var wantedFromSources: Set<HostPrefix> = []
  /// Those of them that are not used.
  var obstacles: [HostPrefix: HostRoutePlan.Obstacle] = [:]
  var sourceRoutes: SourceRoutes
  /// The addresses whose packets alone use a default route for some sources; `nil` if all do.
  private(set) var exitUsers: [IPAddress]?

  /// What could not be done, as sentences for the log.
  var complaints: [String] = []

  /// Takes back what an earlier life of a daemon has left behind in a crash.
  init(interface index: UInt32, table: Configuration.HostSettings.Table, mark: UInt32) throws {
    netlink = try Netlink()
    self.index = index
    self.table = table
    self.mark = mark
    plan.hasUnmarkedTable = table == .auto && mark != 0
    sourceRoutes = SourceRoutes(interface: index)
    removeLeftovers()
  }

  /// Gives the interface its MTU and addresses and sets it up.
  ///
  /// Without IPv6 on the host, its addresses are left out.
  mutating func bringUp(_ configuration: Configuration) throws {
    let interface = configuration.interface
    try netlink.apply(.setMTU(index, UInt32(interface.host.mtu ?? usualMTU(for: configuration.peers))))
    attempt(
      .generateNoAddresses(index), "address generation could not be switched off",
      tolerating: [.notSupported, .invalidArgument, .addressFamilyNotSupported])
    update(interface)
    try netlink.apply(.setUp(index, true))
  }

  /// Makes the interface's addresses those of the configuration.
  mutating func update(_ interface: Configuration.Interface) {
    var wanted = interface.host.addresses
    if let linkLocal = interface.linkLocal {
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
    // What comes from our own addresses in the mesh has no other way out.
    exitUsers = interface.exit == .none ? interface.host.addresses.map(\.address) : nil
    updateSourceRoutes()
  }

  /// The MTU that wg-quick would choose: the largest of the interfaces that datagrams may leave by, by default or to an
  /// endpoint given as a number, less what the outer headers take over IPv6; 1420 where there is none.
  private mutating func usualMTU(for peers: [Configuration.Peer]) -> Int {
    guard let links = try? netlink.outerLinks(besides: index) else { return 1420 }
    let mtus = Dictionary(links.map { ($0.index, Int($0.mtu)) }) { $1 }
    var largest: Int?
    for family in AddressFamily.allCases {
      let uplinks = (try? netlink.uplinks(family, besides: index)) ?? []
      largest = ([largest] + uplinks.map(\.mtu)).compactMap(\.self).max()
    }
    var seen: Set<IPAddress> = []
    for case .address(let endpoint) in peers.lazy.flatMap(\.endpoints)
    where seen.insert(endpoint.address).inserted {
      guard let route = try? netlink.route(to: endpoint.address, mark: mark), let mtu = mtus[route.interface]
      else { continue }
      largest = max(largest ?? mtu, mtu)
    }
    return largest.map { max(1280, $0 - 80) } ?? 1420
  }

  /// Changes the MTU.
  mutating func setMTU(_ mtu: Int) {
    attempt(.setMTU(index, UInt32(mtu)), "the MTU could not be set")
  }

  private func kernelAddress(_ address: Configuration.HostSettings.Address) -> InterfaceAddress {
    InterfaceAddress(address.address, prefixLength: address.prefixLength, interface: index)
  }

  private mutating func attempt(_ change: NetlinkChange, _ failure: String, tolerating: [Errno] = []) {
    do {
      try netlink.apply(change)
    } catch {
      guard !tolerating.contains(error.errno) else { return }
      complaints.append("\(failure): \(error)")
    }
  }

  /// Takes the complaints so far.
  mutating func takeComplaints() -> [String] {
    defer { complaints = [] }
    return complaints
  }
}
