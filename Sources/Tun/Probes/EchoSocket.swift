internal import Glibc
internal import Net
internal import SystemPackage

/// A socket that sends echo requests.
internal struct EchoSocket: ~Copyable {
  let descriptor: OwnedDescriptor
  /// Whether it hears everybody's ICMP, not only replies to its own requests.
  let isRaw: Bool

  /// Opens a socket for pings, which needs the caller's group in `net.ipv4.ping_group_range`; else a raw one, which needs
  /// CAP_NET_RAW.
  init(_ family: AddressFamily) throws(Errno) {
    let domain = family == .v4 ? AF_INET : AF_INET6
    let kind = Int32(family == .v4 ? IPPROTO_ICMP : Int(IPPROTO_ICMPV6))
    let flags = SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    do {
      descriptor = try OwnedDescriptor { socket(domain, Int32(SOCK_DGRAM.rawValue | flags), kind) }
      isRaw = false
    } catch {
      guard [.permissionDenied, .notPermitted].contains(error) else { throw error }
      descriptor = try OwnedDescriptor { socket(domain, Int32(SOCK_RAW.rawValue | flags), kind) }
      isRaw = true
    }
  }
}
