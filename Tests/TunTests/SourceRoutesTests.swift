import Net
import SystemPackage
import Testing
import Tun

/// Routes for some sources only, in the kernel: as the kernel itself then chooses.
@Suite struct SourceRoutesTests {
  private struct Host: ~Copyable {
    let device: TunDevice
    let other: TunDevice
    var netlink: Netlink

    /// Two devices: ours, and one of somebody else who has the default routes and a few more.
    init() throws {
      let device = try TunDevice(named: try #require(InterfaceName("tunt0")))
      let other = try TunDevice(named: try #require(InterfaceName("tunt1")))
      var changes: [NetlinkChange] = [.setUp(device.index, true), .setUp(other.index, true)]
      for text in ["10.44.0.1", "10.45.0.1", "fd44::1", "fd45::1"] {
        let address = try #require(IPAddress(text))
        let length = UInt8(address.family.bitWidth)
        changes.append(
          .addAddress(InterfaceAddress(address, prefixLength: length, interface: device.index)))
      }
      for prefix in ["0.0.0.0/0", "192.0.2.0/24", "::/0", "2001:db8:2::/48"] {
        var route = KernelRoute(to: try #require(IPPrefix(prefix)), interface: other.index)
        route.origin = 4
        changes.append(.addRoute(route))
      }
      var netlink = try Netlink()
      #expect(try netlink.apply(changes) == [])
      self.device = device
      self.other = other
      self.netlink = netlink
    }

    /// The interface that a packet leaves by.
    mutating func exit(to destination: String, from source: String) throws -> UInt32 {
      try netlink.route(
        to: try #require(IPAddress(destination)), from: IPAddress(source)
      ).interface
    }

    func route(_ destination: String, from source: String) throws -> KernelRoute {
      var route = KernelRoute(to: try #require(IPPrefix(destination)), interface: device.index)
      route.source = IPPrefix(source)
      return route
    }

    /// All that somebody might find changed; the kernel's own routes come when addresses and links are ready.
    mutating func state() throws -> ([KernelRoute], [PolicyRule]) {
      var routes: [KernelRoute] = []
      var rules: [PolicyRule] = []
      for family in AddressFamily.allCases {
        routes += try netlink.routes(family).filter { $0.origin != 2 }
        rules += try netlink.rules(family)
      }
      return (routes, rules)
    }
  }

  struct Way: CustomTestStringConvertible {
    var family: AddressFamily
    var triesSubtrees: Bool
    var usesRules: Bool { family == .v4 || !triesSubtrees }
    var testDescription: String { "\(family), \(usesRules ? "rules" : "subtrees")" }
  }

  static let ways = [
    Way(family: .v4, triesSubtrees: true), Way(family: .v6, triesSubtrees: true),
    Way(family: .v6, triesSubtrees: false),
  ]

  @Test(.needsRoot, arguments: ways) func theKernelChoosesByDestinationAndThenBySource(way: Way) throws {
    try inNetworkNamespace {
      var host = try Host()
      let before = try host.state()
      let isV4 = way.family == .v4
      func name(_ v4: String, _ v6: String) -> String { isV4 ? v4 : v6 }
      let (mine, yours) = (name("10.44.0.1", "fd44::1"), name("10.45.0.1", "fd45::1"))
      let (far, near) = (name("198.51.100.1", "2001:db8:1::1"), name("192.0.2.1", "2001:db8:2::1"))
      var routes = SourceRoutes(interface: host.device.index, triesSubtrees: way.triesSubtrees)

      let everything = try host.route(name("0.0.0.0/0", "::/0"), from: name("10.44.0.0/16", "fd44::/16"))
      #expect(try routes.set([everything], by: &host.netlink) == [])
      #expect(try host.exit(to: far, from: mine) == host.device.index)
      #expect(try host.exit(to: far, from: yours) == host.other.index)
      #expect(
        try (host.netlink.rules(way.family).count > before.1.count { $0.family == way.family })
          == way.usesRules)
      // Somebody's longer prefix stays somebody's.
      #expect(try host.exit(to: near, from: mine) == host.other.index)

      let wide = try host.route(
        name("192.0.2.0/24", "2001:db8:2::/48"), from: name("10.45.0.0/16", "fd45::/16"))
      #expect(try routes.set([everything, wide], by: &host.netlink) == [])
      #expect(try host.exit(to: near, from: yours) == host.device.index)
      #expect(try host.exit(to: near, from: mine) == host.other.index)
      #expect(try host.exit(to: far, from: yours) == host.other.index)
      // Once more changes nothing.
      let settled = try host.state()
      #expect(try routes.set([wide, everything], by: &host.netlink) == [])
      #expect(try host.state() == settled)

      #expect(try routes.set([wide], by: &host.netlink) == [])
      #expect(try host.exit(to: far, from: mine) == host.other.index)
      #expect(try host.exit(to: near, from: yours) == host.device.index)
      #expect(try routes.set([], by: &host.netlink) == [])
      #expect(try host.state() == before)
    }
  }

  @Test(.needsRoot) func theLongerDestinationIsAskedFirst() throws {
    try inNetworkNamespace {
      var host = try Host()
      var foreign = KernelRoute(to: try #require(IPPrefix("198.51.0.0/16")), interface: host.other.index)
      foreign.origin = 4
      try host.netlink.apply(.addRoute(foreign))
      var routes = SourceRoutes(interface: host.device.index)
      let everything = try host.route("0.0.0.0/0", from: "10.44.0.0/16")
      let part = try host.route("198.51.100.0/24", from: "10.44.0.0/17")
      #expect(try routes.set([everything, part], by: &host.netlink) == [])
      #expect(try host.exit(to: "198.51.100.1", from: "10.44.0.1") == host.device.index)
      #expect(try host.exit(to: "198.51.7.1", from: "10.44.0.1") == host.other.index)
      #expect(try host.exit(to: "203.0.113.1", from: "10.44.0.1") == host.device.index)
    }
  }

  @Test(.needsRoot, arguments: ways) func whatACrashLeftIsRemovedAndNothingElse(way: Way) throws {
    try inNetworkNamespace {
      var host = try Host()
      let isV4 = way.family == .v4
      var foreign = PolicyRule(way.family, table: 77)
      foreign.source = try #require(IPPrefix(isV4 ? "10.44.0.0/16" : "fd44::/16"))
      foreign.origin = 3
      foreign.priority = 32_257
      try host.netlink.apply(.addRule(foreign))
      let route = try host.route(isV4 ? "0.0.0.0/0" : "::/0", from: isV4 ? "10.44.0.0/16" : "fd44::/16")
      let before = try host.state()

      // A daemon of its own device dies; another one lives.
      var survivor = SourceRoutes(interface: host.device.index, triesSubtrees: way.triesSubtrees)
      do {
        let device = try TunDevice(named: try #require(InterfaceName("tunt2")))
        try host.netlink.apply(.setUp(device.index, true))
        var crashed = SourceRoutes(interface: device.index, triesSubtrees: way.triesSubtrees)
        var lost = try host.route(isV4 ? "0.0.0.0/0" : "::/0", from: isV4 ? "10.46.0.0/16" : "fd46::/16")
        lost.interface = device.index
        #expect(try crashed.set([lost], by: &host.netlink) == [])
      }
      #expect(try survivor.set([route], by: &host.netlink) == [])
      let rules = try host.netlink.rules(way.family).count
      let new = try TunDevice(named: try #require(InterfaceName("tunt2")))
      try SourceRoutes(interface: new.index).removeStale(by: &host.netlink)
      #expect(try host.netlink.rules(way.family).count == rules - (way.usesRules ? 2 : 0))
      #expect(
        try host.exit(to: isV4 ? "203.0.113.1" : "2001:db8:9::1", from: isV4 ? "10.44.0.1" : "fd44::1")
          == host.device.index)
      #expect(try survivor.set([], by: &host.netlink) == [])
      #expect(try host.state().1 == before.1)
    }
  }

  @Test(.needsRoot) func aRuleForAnotherTableIsRefused() throws {
    try inNetworkNamespace {
      var host = try Host()
      let before = try host.state()
      var four = try host.route("0.0.0.0/0", from: "10.44.0.0/16")
      four.table = 1234
      var six = try host.route("::/0", from: "fd44::/16")
      six.table = 1234
      var routes = SourceRoutes(interface: host.device.index)
      let refusals = try routes.set([four, six], by: &host.netlink)
      #expect(refusals.map(\.route) == [four] && refusals.map(\.error.errno) == [.notSupported])
      #expect(try host.netlink.routes(.v6, table: 1234).map(\.source) == [six.source])
      #expect(try routes.set([], by: &host.netlink) == [])
      #expect(try host.state() == before)
    }
  }
}
