import Net
import SystemPackage
import Testing
import Tun

@Suite struct UplinkTests {
  /// Devices that are up, with MTUs from 9000 downwards.
  private func makeDevices(_ count: Int, by netlink: inout Netlink) throws -> [TunDevice] {
    try (0..<count).map { number in
      let device = try TunDevice(named: try #require(InterfaceName("tunu\(number)")))
      try netlink.apply(.generateNoAddresses(device.index))
      try netlink.apply(.setMTU(device.index, UInt32(9000 - 1000 * number)))
      try netlink.apply(.setUp(device.index, true))
      return device
    }
  }

  private func address(_ text: String, _ length: UInt8, _ device: TunDevice) throws -> InterfaceAddress {
    InterfaceAddress(try #require(IPAddress(text)), prefixLength: length, interface: device.index)
  }

  @Test(.needsRoot) func anUplinkIsAnAddressOfAnInterfaceWithADefaultRouteInAnyTable() throws {
    try inNetworkNamespace {
      var netlink = try Netlink()
      let devices = try makeDevices(4, by: &netlink)
      let (first, second, third, tunnel) = (devices[0], devices[1], devices[2], devices[3])
      let addresses = [
        try address("10.1.0.2", 24, first), try address("10.2.0.2", 24, second),
        // Others of a network, and one of another network of the interface.
        try address("10.2.0.3", 24, second), try address("10.5.0.2", 32, second),
        // Without a default route, of our own interface, on the link only.
        try address("10.3.0.2", 24, third), try address("10.4.0.2", 24, tunnel),
        try address("169.254.0.2", 16, first),
        try address("fd01::2", 64, first), try address("fd01::3", 128, first),
        try address("fe80::2", 64, first),
      ]
      #expect(try netlink.apply(addresses.map { .addAddress($0) }) == [])
      func route(_ prefix: IPPrefix, _ device: TunDevice, metric: UInt32, table: UInt32) -> KernelRoute {
        var route = KernelRoute(to: prefix, interface: device.index)
        route.metric = metric
        route.table = table
        return route
      }
      let routes = [
        route(.defaultIPv4, first, metric: 200, table: KernelRoute.mainTable),
        route(.defaultIPv4, second, metric: 100, table: 77),
        route(.defaultIPv4, tunnel, metric: 10, table: KernelRoute.mainTable),
        route(.defaultIPv6, first, metric: 10, table: KernelRoute.mainTable),
        route(try #require(IPPrefix("10.0.0.0/8")), third, metric: 1, table: KernelRoute.mainTable),
      ]
      #expect(try netlink.apply(routes.map { .addRoute($0) }) == [])
      func uplink(_ text: String, _ device: TunDevice, _ mtu: Int) throws -> Uplink {
        Uplink(interface: device.index, address: try #require(IPAddress(text)), mtu: mtu)
      }
      let expected = [
        try uplink("10.2.0.2", second, 8000), try uplink("10.5.0.2", second, 8000),
        try uplink("10.1.0.2", first, 9000),
      ]
      #expect(try netlink.uplinks(.v4, besides: tunnel.index) == expected)
      let six = try netlink.uplinks(.v6, besides: tunnel.index)
      #expect(six.map(\.interface) == [first.index] && six.map(\.mtu) == [9000])
      #expect(try netlink.outerLinks(besides: tunnel.index).map(\.mtu) == [9000, 8000, 7000])

      try netlink.apply(.setUp(second.index, false))
      #expect(try netlink.uplinks(.v4, besides: tunnel.index) == [expected[2]])
    }
  }
}
