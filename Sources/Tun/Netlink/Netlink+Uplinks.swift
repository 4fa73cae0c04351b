public import Net

// Where packets may leave this host.
extension Netlink {
  /// Where packets of one family may leave this host, those first that the kernel would choose.
  ///
  /// An uplink is a running interface, other than `tunnel` and the loopback, with a default route in any table, and an
  /// address on it that packets from here may have; one for each network of the interface.
  public mutating func uplinks(_ family: AddressFamily, besides tunnel: UInt32)
    throws(NetlinkError) -> [Uplink]
  {
    let links = Dictionary(try outerLinks(besides: tunnel).map { ($0.index, $0) }) { $1 }
    let addresses = try addresses().filter {
      $0.address.family == family && $0.isPreferred && !$0.address.isLinkLocal
    }
    // The order of routes of one metric is the kernel's.
    let routes = try routes(family).filter { $0.destination.isDefault && $0.kind == .unicast }
      .enumerated().sorted { ($0.element.metric, $0.offset) < ($1.element.metric, $1.offset) }.map(\.element)
    var uplinks: [Uplink] = []
    var networks: Set<InterfaceAddress> = []
    for route in routes {
      for interface in route.interfaces {
        guard let link = links[interface] else { continue }
        for address in addresses where address.interface == interface {
          guard route.source?.contains(address.address) ?? true, let network = address.network,
            networks.insert(network).inserted
          else { continue }
          uplinks.append(Uplink(interface: interface, address: address.address, mtu: Int(link.mtu)))
        }
      }
    }
    return uplinks
  }

  /// The running interfaces other than `tunnel` and the loopback.
  public mutating func outerLinks(besides tunnel: UInt32) throws(NetlinkError) -> [Link] {
    try links().filter { $0.isUp && $0.isRunning && !$0.isLoopback && $0.index != tunnel }
  }
}

extension InterfaceAddress {
  /// The network that the address makes its interface part of.
  ///
  /// Of a network of IPv6 there may be several, with prefixes as long as an address (DHCPv6): 64 bits name it.
  fileprivate var network: InterfaceAddress? {
    let length = address.family == .v4 ? prefixLength : min(prefixLength, 64)
    guard let prefix = IPPrefix(address, length: Int(length)) else { return nil }
    return InterfaceAddress(prefix.address, prefixLength: length, interface: interface)
  }
}
