import Babel
import Mesh
import Net
import Tun

/// Follows the host's own routes and addresses, as far as something is redistributed of them.
///
/// Every piece of news makes it read the main table anew: the kernel does not tell of the routes that go with an interface.
struct HostRoutes: ~Copyable {
  /// Between two readings, so that a routing daemon that fills the table does not have it read for each route.
  private static var spacing: Duration { .milliseconds(50) }
  /// Before the next attempt, where the kernel could not be asked.
  private static var retry: Duration { .seconds(1) }

  private let tunnel: UInt32
  private let clock = SystemClock()
  private var redistribution = Redistribution(Configuration.Interface())
  private var isStale = false
  private var nextReading = Instant.zero

  /// Follows nothing yet; `tunnel` is the index of our own interface, whose routes lead back to us.
  init(tunnel: UInt32) {
    self.tunnel = tunnel
  }

  /// When `read` is to be called at the latest.
  var deadline: Instant { isStale ? nextReading : .distantFuture }

  /// Takes the rules of a configuration.
  mutating func follow(_ new: Redistribution, at now: Instant) {
    guard new != redistribution else { return }
    redistribution = new
    isStale = true
    nextReading = now
  }

  /// Takes a piece of news; what Babel daemons do is none.
  mutating func hear(_ event: NetlinkMonitor.Event) {
    guard !redistribution.isEmpty else { return }
    switch event {
    case .change(.route(let route)), .change(.routeRemoved(let route)):
      isStale = isStale || isCandidate(route)
    case .change(.other), .change(.acknowledgement), .change(.done), .change(.rule), .change(.ruleRemoved):
      break
    case .overrun, .change: isStale = true
    }
  }

  /// What is announced of the host's routes, if that has to be found out and it is time to.
  mutating func read(at now: Instant) -> [Configuration.Announcement]? {
    guard isStale, nextReading <= now else { return nil }
    guard !redistribution.isEmpty else {
      isStale = false
      return []
    }
    do {
      let candidates = try candidates()
      isStale = false
      // A large table takes a while: no more than a tenth of the time is spent on it.
      nextReading = now.advanced(by: max(Self.spacing, now.duration(to: clock.now) * 9))
      return redistribution.announcements(of: candidates)
    } catch {
      nextReading = now.advanced(by: Self.retry)
      return nil
    }
  }

  private func isCandidate(_ route: KernelRoute) -> Bool {
    route.table == KernelRoute.mainTable && route.kind == .unicast && route.origin != KernelRoute.babel
      && route.interface != tunnel
  }

  private func candidates() throws -> [FilterCandidate] {
    var netlink = try Netlink()
    var names: [UInt32: String] = [:]
    for link in try netlink.links() { names[link.index] = link.name }
    var candidates: [FilterCandidate] = []
    for family in AddressFamily.allCases {
      for route in try netlink.routes(family, table: KernelRoute.mainTable) where isCandidate(route) {
        guard let origin = KernelProtocol(route.origin) else { continue }
        candidates.append(
          FilterCandidate(
            route.destination, source: route.source, origin: .kernel(origin),
            interface: names[route.interface]))
      }
    }
    for address in try netlink.addresses() where address.interface != tunnel {
      candidates.append(
        FilterCandidate(
          IPPrefix(host: address.address), origin: .local, interface: names[address.interface]))
    }
    return candidates
  }
}
