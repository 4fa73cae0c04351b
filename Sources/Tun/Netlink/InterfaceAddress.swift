internal import CLinux
internal import Glibc
public import Net

/// An address of an interface of the host.
public struct InterfaceAddress: Sendable, Hashable {
  /// The interface's index.
  public var interface: UInt32
  /// The address, host bits kept.
  public var address: IPAddress
  /// The length of the on-link prefix.
  public var prefixLength: UInt8
  /// Whether packets that begin here may have it as source: it is known to be ours alone, and not about to be given up.
  public var isPreferred = true

  /// Makes an address.
  public init(_ address: IPAddress, prefixLength: UInt8, interface: UInt32) {
    self.interface = interface
    self.address = address
    self.prefixLength = prefixLength
  }
}

extension InterfaceAddress {
  /// Reads `struct ifaddrmsg` and its attributes.
  internal init?(reading payload: RawSpan) {
    guard let message = payload.fixedPart(ifaddrmsg.self) else { return nil }
    var local: IPAddress?
    var other: IPAddress?
    var flags = UInt32(message.ifa_flags)
    var attributes = AttributeReader(payload, after: MemoryLayout<ifaddrmsg>.size)
    while let attribute = attributes.next() {
      switch attribute.type {
      case IFA_LOCAL: local = payload.address(attribute.range)
      case IFA_ADDRESS: other = payload.address(attribute.range)
      case IFA_FLAGS: flags = payload.number(attribute.range, as: UInt32.self) ?? flags
      default: break
      }
    }
    // On a point-to-point link IFA_ADDRESS is the far side; IPv6 has IFA_LOCAL only there.
    guard let address = local ?? other, address.family.number == message.ifa_family else { return nil }
    guard Int(message.ifa_prefixlen) <= address.family.bitWidth else { return nil }
    self.init(address, prefixLength: message.ifa_prefixlen, interface: message.ifa_index)
    isPreferred = flags & UInt32(IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED) == 0
  }

  internal func request(_ type: Int, flags: Int32) -> NetlinkRequest {
    // Nobody on a TUN link could have the address already; without the question it is usable at once.
    let flags6 = UInt8(address.family == .v6 ? IFA_F_NODAD : 0)
    let message = ifaddrmsg(
      ifa_family: address.family.number, ifa_prefixlen: prefixLength, ifa_flags: flags6,
      ifa_scope: UInt8(address.isLinkLocal ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue),
      ifa_index: interface)
    var request = NetlinkRequest(type, flags: flags, message)
    request.attribute(IFA_LOCAL, address)
    request.attribute(IFA_ADDRESS, address)
    return request
  }
}

extension AddressFamily {
  /// The corresponding C constants are `AF_INET` and `AF_INET6`.
  internal var number: UInt8 { UInt8(self == .v4 ? AF_INET : AF_INET6) }

  internal init?(number: UInt8) {
    switch Int32(number) {
    case AF_INET: self = .v4
    case AF_INET6: self = .v6
    default: return nil
    }
  }
}
