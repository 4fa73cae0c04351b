internal import CLinux
internal import Glibc
internal import Net

/// One change to the host's network.
public enum NetlinkChange: Sendable, Hashable {
  /// Sets an interface up or down.
  case setUp(UInt32, Bool)
  /// Sets an interface's MTU.
  case setMTU(UInt32, UInt32)
  /// Stops the kernel from making link-local IPv6 addresses for an interface; to be done before it is set up.
  case generateNoAddresses(UInt32)
  /// Deletes an interface.
  case removeLink(UInt32)
  /// Adds an address.
  case addAddress(InterfaceAddress)
  /// Removes an address.
  case removeAddress(InterfaceAddress)
  /// Adds a route; an error if there is one to this prefix with this table and metric.
  case addRoute(KernelRoute)
  /// Adds a route or takes the place of the one to this prefix with this table and metric, whoever made it.
  case replaceRoute(KernelRoute)
  /// Removes a route that agrees in all that is said.
  case removeRoute(KernelRoute)
  /// Adds a policy rule.
  case addRule(PolicyRule)
  /// Removes a policy rule that agrees in all that is said.
  case removeRule(PolicyRule)
}

extension NetlinkChange {
  /// The message that asks for the change and for an answer.
  internal var request: NetlinkRequest {
    let new = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
    switch self {
    case .setUp(let index, let isUp):
      let flag = UInt32(IFF_UP)
      return NetlinkRequest(
        RTM_NEWLINK, flags: NLM_F_ACK, Self.link(index, flags: isUp ? flag : 0, change: flag))
    case .setMTU(let index, let mtu):
      var request = NetlinkRequest(RTM_NEWLINK, flags: NLM_F_ACK, Self.link(index))
      request.attribute(IFLA_MTU, mtu)
      return request
    case .generateNoAddresses(let index):
      var request = NetlinkRequest(RTM_NEWLINK, flags: NLM_F_ACK, Self.link(index))
      request.attribute(IFLA_AF_SPEC) { families in
        families.attribute(Int(AF_INET6)) { $0.attribute(IFLA_INET6_ADDR_GEN_MODE, byte: 1) }
      }
      return request
    case .removeLink(let index):
      return NetlinkRequest(RTM_DELLINK, flags: NLM_F_ACK, Self.link(index))
    case .addAddress(let address):
      return address.request(RTM_NEWADDR, flags: new)
    case .removeAddress(let address):
      return address.request(RTM_DELADDR, flags: NLM_F_ACK)
    case .addRoute(let route):
      return route.request(RTM_NEWROUTE, flags: new)
    case .replaceRoute(let route):
      return route.request(RTM_NEWROUTE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)
    case .removeRoute(let route):
      return route.request(RTM_DELROUTE, flags: NLM_F_ACK)
    case .addRule(let rule):
      return rule.request(RTM_NEWRULE, flags: new)
    case .removeRule(let rule):
      return rule.request(RTM_DELRULE, flags: NLM_F_ACK)
    }
  }

  private static func link(_ index: UInt32, flags: UInt32 = 0, change: UInt32 = 0) -> ifinfomsg {
    var message = ifinfomsg()
    message.ifi_index = Int32(bitPattern: index)
    message.ifi_flags = flags
    message.ifi_change = change
    return message
  }
}
