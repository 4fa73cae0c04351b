internal import CLinux
internal import Glibc
public import Net

/// A route in a table of the host's kernel.
public struct KernelRoute: Sendable, Hashable {
  /// What becomes of a packet that matches.
  public enum Kind: Sendable, Hashable {
    /// It goes to the interface, by way of the gateway if there is one.
    case unicast
    /// It is refused with "host unreachable".
    case unreachable
    /// It vanishes.
    case blackhole
    /// Another of the kernel's kinds (`RTN_*`).
    case other(UInt8)
  }

  /// Where the packets go.
  public var destination: IPPrefix
  /// Where they must come from (IPv6 only); `nil` is anywhere.
  public var source: IPPrefix?
  /// What becomes of them.
  public var kind = Kind.unicast
  /// The table.
  public var table = KernelRoute.mainTable
  /// Who made the route (`RTPROT_*`).
  public var origin = KernelRoute.babel
  /// The interface's index; 0 is none.
  public var interface: UInt32 = 0
  /// The interfaces of the further next hops, where the kernel spreads flows over several; for routes of others.
  public var furtherInterfaces: [UInt32] = []
  /// The next hop; `nil` where the destination is on the link.
  public var gateway: IPAddress?
  /// The source address of our own packets; `nil` leaves the choice to the kernel.
  public var preferredSource: IPAddress?
  /// The preference among routes to one prefix, lowest first.
  ///
  /// IPv6 makes 1024 of 0.
  public var metric: UInt32 = 0

  /// The table that `ip route` shows.
  public static let mainTable: UInt32 = 254
  /// The table of the host's own addresses, which the kernel keeps.
  public static let localTable: UInt32 = 255
  /// The mark of routes that a Babel daemon made: `RTPROT_BABEL`.
  public static let babel: UInt8 = 42

  /// The interfaces of all next hops.
  public var interfaces: [UInt32] { [interface] + furtherInterfaces }

  /// Makes a route to an interface.
  public init(to destination: IPPrefix, interface: UInt32) {
    self.destination = destination
    self.interface = interface
  }

  /// Makes a route of a kind that needs no interface.
  public init(to destination: IPPrefix, kind: Kind) {
    self.destination = destination
    self.kind = kind
  }
}

extension KernelRoute.Kind {
  fileprivate init(number: UInt8) {
    switch Int(number) {
    case RTN_UNICAST: self = .unicast
    case RTN_UNREACHABLE: self = .unreachable
    case RTN_BLACKHOLE: self = .blackhole
    default: self = .other(number)
    }
  }

  fileprivate var number: UInt8 {
    switch self {
    case .unicast: UInt8(RTN_UNICAST)
    case .unreachable: UInt8(RTN_UNREACHABLE)
    case .blackhole: UInt8(RTN_BLACKHOLE)
    case .other(let number): number
    }
  }
}

extension KernelRoute {
  /// Reads `struct rtmsg` and its attributes.
  internal init?(reading payload: RawSpan) {
    guard let message = payload.fixedPart(rtmsg.self), let family = AddressFamily(number: message.rtm_family)
    else { return nil }
    let any: IPAddress = family == .v4 ? .v4(.any) : .v6(.any)
    var destination = any
    var source = any
    var table = UInt32(message.rtm_table)
    var interface: UInt32 = 0
    var metric: UInt32 = 0
    var furtherInterfaces: [UInt32] = []
    var gateway: IPAddress?
    var preferredSource: IPAddress?
    var attributes = AttributeReader(payload, after: MemoryLayout<rtmsg>.size)
    while let (type, range) = attributes.next() {
      switch type {
      case Int(RTA_DST.rawValue): destination = payload.address(range) ?? destination
      case Int(RTA_SRC.rawValue): source = payload.address(range) ?? source
      case Int(RTA_TABLE.rawValue): table = payload.number(range, as: UInt32.self) ?? table
      case Int(RTA_OIF.rawValue): interface = payload.number(range, as: UInt32.self) ?? interface
      case Int(RTA_MULTIPATH.rawValue):
        furtherInterfaces = payload.nextHopInterfaces(range)
        if interface == 0, !furtherInterfaces.isEmpty { interface = furtherInterfaces.removeFirst() }
      case Int(RTA_PRIORITY.rawValue): metric = payload.number(range, as: UInt32.self) ?? metric
      case Int(RTA_GATEWAY.rawValue): gateway = payload.address(range)
      case Int(RTA_PREFSRC.rawValue): preferredSource = payload.address(range)
      default: break
      }
    }
    guard destination.family == family, source.family == family,
      let prefix = IPPrefix(destination, length: Int(message.rtm_dst_len)),
      let sourcePrefix = IPPrefix(source, length: Int(message.rtm_src_len))
    else { return nil }
    self.init(to: prefix, interface: interface)
    self.source = message.rtm_src_len == 0 ? nil : sourcePrefix
    self.table = table
    self.metric = metric
    self.furtherInterfaces = furtherInterfaces
    self.gateway = gateway
    self.preferredSource = preferredSource
    kind = Kind(number: message.rtm_type)
    origin = message.rtm_protocol
  }

  /// The scope by the rules of ip-route(8): a route without gateway is on the link.
  ///
  /// A removal names none.
  private func scope(removing: Bool) -> UInt8 {
    guard !removing else { return UInt8(RT_SCOPE_NOWHERE.rawValue) }
    let isOnLink = kind == .unicast && gateway == nil && destination.family == .v4
    return UInt8(isOnLink ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue)
  }

  internal func request(_ type: Int, flags: Int32) -> NetlinkRequest {
    let message = rtmsg(
      rtm_family: destination.family.number, rtm_dst_len: destination.length,
      rtm_src_len: source?.length ?? 0, rtm_tos: 0, rtm_table: table < 256 ? UInt8(table) : 0,
      rtm_protocol: origin, rtm_scope: scope(removing: type == RTM_DELROUTE), rtm_type: kind.number,
      rtm_flags: 0)
    var request = NetlinkRequest(type, flags: flags, message)
    request.attribute(Int(RTA_DST.rawValue), destination.address)
    if let source { request.attribute(Int(RTA_SRC.rawValue), source.address) }
    request.attribute(Int(RTA_TABLE.rawValue), table)
    if interface != 0 { request.attribute(Int(RTA_OIF.rawValue), interface) }
    if metric != 0 { request.attribute(Int(RTA_PRIORITY.rawValue), metric) }
    if let gateway { request.attribute(Int(RTA_GATEWAY.rawValue), gateway) }
    if let preferredSource { request.attribute(Int(RTA_PREFSRC.rawValue), preferredSource) }
    return request
  }
}

extension RawSpan {
  /// The interfaces in a list of `struct rtnexthop`; total, as `NetlinkReader`.
  fileprivate func nextHopInterfaces(_ range: Range<Int>) -> [UInt32] {
    var interfaces: [UInt32] = []
    var offset = range.lowerBound
    while range.upperBound - offset >= MemoryLayout<rtnexthop>.size {
      let hop = unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: rtnexthop.self)
      guard Int(hop.rtnh_len) >= MemoryLayout<rtnexthop>.size else { break }
      interfaces.append(UInt32(bitPattern: hop.rtnh_ifindex))
      offset += (Int(hop.rtnh_len) + 3) & ~3
    }
    return interfaces
  }
}
