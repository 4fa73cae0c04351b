import Glibc
import Net
import SystemPackage
import Testing
import Tun

@Suite struct NetlinkTests {
  private let address4 = IPAddress.v4(IPv4Address(10, 9, 0, 1))
  private let address6 = IPAddress.v6(IPv6Address(high: 0xFD00 << 48, low: 1))
  private let linkLocal = IPAddress.v6(IPv6Address(high: 0xFE80 << 48, low: 0xABCD))

  private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

  private func makeDevice() throws -> TunDevice {
    try TunDevice(named: try #require(InterfaceName("tunt0")))
  }

  @Test(.needsRoot) func anInterfaceIsSetUpWithItsAddressesAlone() throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      var netlink = try Netlink()
      #expect(try netlink.link(device.index).isUp == false)
      try netlink.apply(.setMTU(device.index, 1420))
      try netlink.apply(.generateNoAddresses(device.index))
      try netlink.apply(.setUp(device.index, true))
      let link = try netlink.link(device.index)
      #expect(link.name == "tunt0" && link.mtu == 1420 && link.isUp && link.isRunning)
      #expect(try netlink.links().map(\.name).contains("tunt0"))
      func mine() throws -> [InterfaceAddress] {
        try netlink.addresses().filter { $0.interface == device.index }
      }
      #expect(try mine() == [])
      let wanted = [
        InterfaceAddress(address4, prefixLength: 24, interface: device.index),
        InterfaceAddress(address6, prefixLength: 64, interface: device.index),
        InterfaceAddress(linkLocal, prefixLength: 64, interface: device.index),
      ]
      #expect(try netlink.apply(wanted.map { .addAddress($0) }) == [])
      #expect(try Set(mine()) == Set(wanted))
      try netlink.apply(.removeAddress(wanted[1]))
      #expect(try Set(mine()) == [wanted[0], wanted[2]])
      try netlink.apply(.removeLink(device.index))
      #expect(device.name.index == nil)
      #expect(throws: NetlinkError.self) { try netlink.link(device.index) }
    }
  }

  @Test(.needsRoot) func routesAreAddedFoundReplacedAndRemoved() throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      var netlink = try Netlink()
      try netlink.apply(.setUp(device.index, true))
      try netlink.apply(.addAddress(InterfaceAddress(address4, prefixLength: 32, interface: device.index)))
      var plain = KernelRoute(to: try prefix("10.1.0.0/16"), interface: device.index)
      plain.metric = 7
      plain.preferredSource = address4
      var other = KernelRoute(to: try prefix("0.0.0.0/0"), interface: device.index)
      other.table = 51820
      var held = KernelRoute(to: try prefix("10.2.0.0/16"), kind: .unreachable)
      held.metric = 9
      var six = KernelRoute(to: try prefix("fd01::/64"), interface: device.index)
      six.metric = 7
      var foreign = KernelRoute(to: try prefix("10.3.0.0/16"), interface: device.index)
      foreign.origin = 4
      #expect(try netlink.apply([plain, other, held, six, foreign].map { .addRoute($0) }) == [])

      #expect(try Set(netlink.routes(.v4, origin: KernelRoute.babel)) == [plain, other, held])
      #expect(try netlink.routes(.v4, table: 51820) == [other])
      #expect(try netlink.routes(.v4, table: 51821) == [])
      #expect(try netlink.routes(.v6, origin: KernelRoute.babel) == [six])
      #expect(try netlink.routes(.v4).contains(foreign))

      let again = try netlink.apply([.addRoute(plain), .replaceRoute(plain), .addRoute(held)])
      #expect(again.map(\.index) == [0, 2] && again.allSatisfy { $0.error.errno == .fileExists })
      var replacement = plain
      replacement.preferredSource = nil
      try netlink.apply(.replaceRoute(replacement))
      #expect(try netlink.routes(.v4, origin: KernelRoute.babel).contains(replacement))

      #expect(try netlink.apply([replacement, other, held, six].map { .removeRoute($0) }) == [])
      #expect(try netlink.routes(.v4, origin: KernelRoute.babel) == [])
      #expect(try netlink.routes(.v6, origin: KernelRoute.babel) == [])
      #expect(try netlink.routes(.v4).contains(foreign))
      #expect(throws: NetlinkError(.noSuchProcess)) { try netlink.apply(.removeRoute(plain)) }
    }
  }

  @Test(.needsRoot) func aThousandRoutesGoInOneCallAndComeInOneDump() throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      var netlink = try Netlink()
      try netlink.apply(.setUp(device.index, true))
      var routes: [KernelRoute] = []
      for number in 0..<1000 {
        let host = IPAddress.v4(IPv4Address(bits: 0x0A01_0000 + UInt32(number)))
        routes.append(KernelRoute(to: IPPrefix(host: host), interface: device.index))
      }
      #expect(try netlink.apply(routes.map { .addRoute($0) }) == [])
      #expect(try Set(netlink.routes(.v4, origin: KernelRoute.babel)) == Set(routes))
    }
  }

  @Test(.needsRoot, arguments: AddressFamily.allCases)
  func rulesLikeThoseOfWgQuickAreAddedFoundAndRemoved(family: AddressFamily) throws {
    try inNetworkNamespace {
      var netlink = try Netlink()
      let before = try netlink.rules(family)
      var unmarked = PolicyRule(family, table: 51820)
      unmarked.mark = 51820
      unmarked.isInverted = true
      unmarked.priority = 1000
      var specific = PolicyRule(family, table: KernelRoute.mainTable)
      specific.suppressedPrefixLength = 0
      specific.priority = 999
      var sourced = PolicyRule(family, table: 7)
      sourced.source = try prefix(family == .v4 ? "10.5.0.0/16" : "fd05::/32")
      sourced.priority = 998
      var pair = sourced
      pair.destination = try prefix(family == .v4 ? "10.6.0.0/17" : "fd06::/33")
      let wanted = [unmarked, specific, sourced, pair]
      #expect(try netlink.apply(wanted.map { .addRule($0) }) == [])
      #expect(try Set(netlink.rules(family)).subtracting(before) == Set(wanted))
      #expect(try netlink.apply(wanted.map { .removeRule($0) }) == [])
      #expect(try netlink.rules(family) == before)
    }
  }

  @Test(.needsRoot) func theRouteOfAPacketDependsOnItsMark() throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      var netlink = try Netlink()
      try netlink.apply(.setUp(device.index, true))
      var everything = KernelRoute(to: .defaultIPv4, interface: device.index)
      everything.table = 51820
      var rule = PolicyRule(.v4, table: 51820)
      rule.mark = 51820
      rule.isInverted = true
      #expect(try netlink.apply([.addRoute(everything), .addRule(rule)]) == [])
      let outside = IPAddress.v4(IPv4Address(192, 0, 2, 1))
      #expect(try netlink.route(to: outside).interface == device.index)
      #expect(throws: NetlinkError(.networkUnreachable)) { try netlink.route(to: outside, mark: 51820) }
      let loopback = IPAddress.v4(IPv4Address(127, 0, 0, 1))
      #expect(try netlink.route(to: loopback, from: loopback).interface == 1)
    }
  }

  @Test(.needsRoot) func theKernelsOwnWordsComeWithARefusal() throws {
    try inNetworkNamespace {
      var netlink = try Netlink()
      let error = try #require(throws: NetlinkError.self) {
        try netlink.apply(.addRoute(KernelRoute(to: try prefix("10.0.0.0/8"), interface: 999)))
      }
      #expect(error.errno == Errno(rawValue: ENODEV) || error.text != nil, "\(error)")
    }
  }

  @Test(.needsRoot) func withoutIPv6ItsAddressesAreRefusedAndTheRestWorks() throws {
    try inNetworkNamespace {
      let device = try makeDevice()
      // What /proc/sys/net shows depends on the thread that opens it.
      let file = open("/proc/sys/net/ipv6/conf/all/disable_ipv6", O_WRONLY)
      try #require(file >= 0)
      #expect(write(file, "1", 1) == 1)
      close(file)
      var netlink = try Netlink()
      try netlink.apply(.setUp(device.index, true))
      let refusals = try netlink.apply([
        .addAddress(InterfaceAddress(address6, prefixLength: 64, interface: device.index)),
        .addAddress(InterfaceAddress(address4, prefixLength: 24, interface: device.index)),
      ])
      #expect(refusals.map(\.index) == [0])
      for refusal in refusals { #expect([.permissionDenied, .notSupported].contains(refusal.error.errno)) }
      let socket = try UDPSocket(port: 0)
      #expect(socket.descriptor(.v4) != nil)
    }
  }

  @Test(.needsRoot) func changesAreHeardAndLostOnesAreNoticed() throws {
    try inNetworkNamespace {
      var monitor = try NetlinkMonitor()
      let device = try makeDevice()
      var netlink = try Netlink()
      let address = InterfaceAddress(address4, prefixLength: 24, interface: device.index)
      let route = KernelRoute(to: try prefix("10.1.0.0/16"), interface: device.index)
      try netlink.apply(.setUp(device.index, true))
      try netlink.apply(.addAddress(address))
      try netlink.apply(.addRoute(route))
      try netlink.apply(.removeRoute(route))
      try netlink.apply(.removeAddress(address))
      try netlink.apply(.removeLink(device.index))
      var heard: [NetlinkMessage.Content] = []
      while let events = try monitor.next() {
        for case .change(let content) in events { heard.append(content) }
      }
      #expect(
        heard.contains { if case .link(let link) = $0 { link.name == "tunt0" && link.isUp } else { false } })
      #expect(heard.contains(.address(address)) && heard.contains(.addressRemoved(address)))
      #expect(heard.contains(.route(route)) && heard.contains(.routeRemoved(route)))
      #expect(
        heard.contains { if case .linkRemoved(let link) = $0 { link.index == device.index } else { false } })

      var size: Int32 = 1
      setsockopt(monitor.descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(4))
      let second = try makeDevice()
      try netlink.apply(.setUp(second.index, true))
      for number in 0..<100 {
        let host = IPAddress.v4(IPv4Address(bits: 0x0A01_0000 + UInt32(number)))
        try netlink.apply(.addRoute(KernelRoute(to: IPPrefix(host: host), interface: second.index)))
      }
      var overran = false
      while let events = try monitor.next() { overran = overran || events.contains(.overrun) }
      #expect(overran)
    }
  }
}
