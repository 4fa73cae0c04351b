import Mesh
import Net
import Tun

/// Follows where our datagrams may leave this host: which uplinks there are, and when anything on the way to a peer changes.
///
/// The kernel tells much that is no change: addresses are confirmed with every router advertisement, links for all sorts of
/// reasons; and routes come and go that none of our datagrams follow.
struct HostUplinks: ~Copyable {
  /// News come in bursts; this is how long one lasts.
  private static var patience: Duration { .milliseconds(20) }
  /// Between two readings.
  private static var spacing: Duration { .milliseconds(100) }
  /// Before the next attempt, where the kernel could not be asked.
  private static var retry: Duration { .seconds(1) }

  /// What is known of the uplinks.
  struct Ways: Equatable {
    /// Those of IPv4 before those of IPv6.
    var uplinks: [Uplink] = []
    /// The largest MTU of a running interface, uplink or not; 0 where there is none.
    var maximumMTU = 0
    /// Whether there is an IPv6 address of more than one link.
    var hasIPv6 = false
  }

  private let tunnel: UInt32
  private let clock = SystemClock()
  private var links: [UInt32: Link] = [:]
  private var addresses: Set<InterfaceAddress> = []
  /// Where our datagrams go, in ascending order.
  private var underlay: [IPAddress] = []
  private var ways: Ways?
  /// When the change is told.
  private var changeDue = Instant.distantFuture
  /// When the uplinks are read; at once for the first time.
  private var readingDue = Instant.zero
  private var nextReading = Instant.zero

  /// Follows nothing yet; `tunnel` is the index of our own interface.
  init(tunnel: UInt32) {
    self.tunnel = tunnel
  }

  /// When `read` and `takeChange` are to be called at the latest.
  var deadline: Instant { min(changeDue, readingDue) }

  /// Our datagrams go to these addresses, in ascending order.
  mutating func setUnderlay(_ addresses: [IPAddress]) {
    underlay = addresses
  }

  /// Takes a piece of news.
  mutating func hear(_ event: NetlinkMonitor.Event, at now: Instant) {
    switch event {
    case .overrun:
      // What follows is compared with nothing, and is news once more.
      links = [:]
      addresses = []
      noteChange(at: now, ofUplinks: true)
    case .change(.link(let link)) where link.index != tunnel:
      if links.updateValue(link, forKey: link.index) != link { noteChange(at: now, ofUplinks: true) }
    case .change(.linkRemoved(let link)) where link.index != tunnel:
      links[link.index] = nil
      noteChange(at: now, ofUplinks: true)
    case .change(.address(let address)) where mayBeSource(address):
      if take(address) { noteChange(at: now, ofUplinks: true) }
    case .change(.addressRemoved(let address)) where mayBeSource(address):
      addresses = addresses.filter { !$0.isSame(as: address) }
      noteChange(at: now, ofUplinks: true)
    case .change(.route(let route)), .change(.routeRemoved(let route)):
      guard isAnothers(route), isFollowed(route.destination) else { break }
      noteChange(at: now, ofUplinks: route.destination.isDefault)
    case .change: break
    }
  }

  /// The uplinks, if they had to be read and have changed.
  mutating func read(at now: Instant) -> Ways? {
    guard readingDue <= now else { return nil }
    do {
      let new = try survey()
      readingDue = .distantFuture
      // A large table takes a while: no more than a tenth of the time is spent on it.
      nextReading = now.advanced(by: max(Self.spacing, now.duration(to: clock.now) * 9))
      guard new != ways else { return nil }
      ways = new
      return new
    } catch {
      readingDue = now.advanced(by: Self.retry)
      return nil
    }
  }

  /// Whether something has changed a moment ago: once for each burst of news.
  mutating func takeChange(at now: Instant) -> Bool {
    guard changeDue <= now else { return false }
    changeDue = .distantFuture
    return true
  }

  private mutating func noteChange(at now: Instant, ofUplinks: Bool) {
    changeDue = min(changeDue, now.advanced(by: Self.patience))
    if ofUplinks { readingDue = min(readingDue, max(changeDue, nextReading)) }
  }

  /// Whether datagrams of ours may leave from the address: interfaces that come up get link-local ones seconds later, which
  /// lead to their like only.
  private func mayBeSource(_ address: InterfaceAddress) -> Bool {
    guard address.interface != tunnel else { return false }
    return !address.address.isLinkLocal || underlay.contains(where: \.isLinkLocal)
  }

  /// Whether the address is news.
  private mutating func take(_ address: InterfaceAddress) -> Bool {
    guard addresses.insert(address).inserted else { return false }
    var twin = address
    twin.isPreferred.toggle()
    addresses.remove(twin)
    return true
  }

  /// Whether neither we nor another Babel daemon made the route, nor the kernel for its own addresses.
  private func isAnothers(_ route: KernelRoute) -> Bool {
    route.origin != KernelRoute.babel && route.table != KernelRoute.localTable
      && !route.interfaces.contains(tunnel)
  }

  /// Whether datagrams of ours may follow a route to this prefix.
  private func isFollowed(_ prefix: IPPrefix) -> Bool {
    if prefix.isDefault { return true }
    var (low, high) = (0, underlay.count)
    while low < high {
      let middle = (low + high) / 2
      if underlay[middle] < prefix.address { low = middle + 1 } else { high = middle }
    }
    return low < underlay.count && prefix.contains(underlay[low])
  }

  private func survey() throws -> Ways {
    var netlink = try Netlink()
    var ways = Ways()
    for family in AddressFamily.allCases { ways.uplinks += try netlink.uplinks(family, besides: tunnel) }
    ways.hasIPv6 = try netlink.addresses().contains { address in
      guard case .v6(let value) = address.address else { return false }
      return address.interface != tunnel && !value.isLinkLocal && value != .loopback
    }
    ways.maximumMTU = Int(try netlink.outerLinks(besides: tunnel).map(\.mtu).max() ?? 0)
    return ways
  }
}

extension InterfaceAddress {
  /// Whether both are one address, whatever may be done with it.
  fileprivate func isSame(as other: InterfaceAddress) -> Bool {
    address == other.address && prefixLength == other.prefixLength && interface == other.interface
  }
}
