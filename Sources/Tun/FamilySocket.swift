internal import CLinux
internal import Glibc
internal import Net
internal import Synchronization
internal import SystemPackage

/// The socket of one family in a `UDPSocket`.
internal final class FamilySocket: Sendable {
  let descriptor: OwnedDescriptor
  private let family: AddressFamily
  private let segments = Atomic(false)
  private let gathers = Atomic(false)

  private init(_ descriptor: consuming OwnedDescriptor, _ family: AddressFamily) {
    self.descriptor = descriptor
    self.family = family
  }

  /// The offloads that the kernel offers and that have not failed yet.
  var offloads: UDPOffloads {
    UDPOffloads(
      segmentation: segments.load(ordering: .relaxed), coalescing: gathers.load(ordering: .relaxed))
  }

  /// Gives up segmentation, since a device on the way out refused a train.
  func stopSegmentation() {
    segments.store(false, ordering: .relaxed)
  }

  /// Opens a socket that is not bound yet; `nil` if the machine does not have the family.
  static func open(_ family: AddressFamily, options: UDPSocket.Options, isShared: Bool) throws(BindError)
    -> FamilySocket?
  {
    let domain = family == .v4 ? AF_INET : AF_INET6
    let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    do throws(Errno) {
      let socket = FamilySocket(try OwnedDescriptor { Glibc.socket(domain, type, 0) }, family)
      try socket.configure(options, isShared: isShared)
      return socket
    } catch {
      switch error {
      case .addressFamilyNotSupported: return nil
      case .notPermitted: throw .markNotPermitted
      default: throw .failed(error, in: "socket")
      }
    }
  }

  /// Binds to every local address and returns the port.
  func bind(port: UInt16) throws(BindError) -> UInt16 {
    let any: IPAddress = family == .v4 ? .v4(.any) : .v6(.any)
    do throws(Errno) {
      return try SocketAddress.bind(descriptor.rawValue, to: Endpoint(address: any, port: port)).port
    } catch {
      switch error {
      case .addressInUse: throw .portInUse(port)
      default: throw .failed(error, in: "bind")
      }
    }
  }

  /// The corresponding C function is `setsockopt`.
  func setOption(_ level: Int32, _ option: Int32, _ value: Int32) throws(Errno) {
    var value = value
    _ = try systemCall {
      unsafe setsockopt(
        descriptor.rawValue, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  /// Whether what is sent from now on, by whatever thread, may be cut into fragments here and on its way.
  ///
  /// As the kernel module: IPv4 has no DF bit, so that a path with a smaller MTU fragments rather than swallows. Unlike
  /// `IP_PMTUDISC_DONT`, its choice here hears of datagrams that were too big, and lets no ICMP error make us fragment. In
  /// IPv6 only we can, by what ICMP has told the kernel.
  ///
  /// Without leave the kernel sends datagrams of any size up to the interface's MTU, whatever it believes of the path.
  func setMayFragment(_ mayFragment: Bool) throws(Errno) {
    switch family {
    case .v4:
      try setOption(
        Int32(IPPROTO_IP), IP_MTU_DISCOVER, mayFragment ? IP_PMTUDISC_OMIT : IP_PMTUDISC_PROBE)
    case .v6:
      let level = Int32(IPPROTO_IPV6)
      try setOption(level, IPV6_MTU_DISCOVER, mayFragment ? IPV6_PMTUDISC_WANT : IPV6_PMTUDISC_PROBE)
      try setOption(level, IPV6_DONTFRAG, mayFragment ? 0 : 1)
    }
  }

  private func configure(_ options: UDPSocket.Options, isShared: Bool) throws(Errno) {
    switch family {
    case .v4:
      let level = Int32(IPPROTO_IP)
      try setOption(level, IP_PKTINFO, 1)
      try setOption(level, IP_RECVTOS, 1)
      if options.reportsErrors { try setOption(level, IP_RECVERR, 1) }
    case .v6:
      let level = Int32(IPPROTO_IPV6)
      try setOption(level, IPV6_V6ONLY, 1)
      try setOption(level, IPV6_RECVPKTINFO, 1)
      try setOption(level, IPV6_RECVTCLASS, 1)
      if options.reportsErrors { try setOption(level, IPV6_RECVERR, 1) }
    }
    try setMayFragment(true)
    if isShared { try setOption(SOL_SOCKET, SO_REUSEPORT, 1) }
    if options.firewallMark != 0 {
      try setOption(SOL_SOCKET, SO_MARK, Int32(bitPattern: options.firewallMark))
    }
    try setBuffer(SO_RCVBUFFORCE, otherwise: SO_RCVBUF, options.bufferSize)
    try setBuffer(SO_SNDBUFFORCE, otherwise: SO_SNDBUF, options.bufferSize)
    if options.usesOffloads { probeOffloads() }
  }

  /// Takes what the kernel has: it knows the option of one offload since 4.18, of the other since 5.0.
  private func probeOffloads() {
    let level = Int32(IPPROTO_UDP)
    segments.store(accepts(level, Int32(CLINUX_UDP_SEGMENT), 0), ordering: .relaxed)
    gathers.store(accepts(level, Int32(CLINUX_UDP_GRO), 1), ordering: .relaxed)
  }

  private func accepts(_ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
    do {
      try setOption(level, option, value)
      return true
    } catch {
      return false
    }
  }

  /// Passes the kernel's limit where we may, and else takes what it gives.
  private func setBuffer(_ force: Int32, otherwise: Int32, _ size: Int32) throws(Errno) {
    do {
      try setOption(SOL_SOCKET, force, size)
    } catch {
      guard error == .notPermitted else { throw error }
      try setOption(SOL_SOCKET, otherwise, size)
    }
  }
}
