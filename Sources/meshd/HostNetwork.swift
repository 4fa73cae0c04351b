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
  mutating func bringUp(_ interface: Configuration.Interface) throws {
    try netlink.apply(.setMTU(index, UInt32(interface.host.mtu ?? 1420)))
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
