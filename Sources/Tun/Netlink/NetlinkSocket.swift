internal import CLinux
internal import Glibc
internal import Net
internal import SystemPackage

/// A socket to the kernel's routing, with the memory for one datagram of its answers.
internal struct NetlinkSocket: ~Copyable {
  let descriptor: OwnedDescriptor
  private(set) var datagram = [UInt8](repeating: 0, count: 1 << 16)

  /// Opens a socket that hears the news of `groups` (`RTMGRP_*`).
  init(groups: UInt32 = 0, isBlocking: Bool) throws(Errno) {
    let type =
      Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue) | (isBlocking ? 0 : Int32(SOCK_NONBLOCK.rawValue))
    let descriptor = try OwnedDescriptor { Glibc.socket(AF_NETLINK, type, NETLINK_ROUTE) }
    let socket = descriptor.rawValue
    // Words with errors, no copy of the request in answers, dumps filtered by the kernel: all optional.
    for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK] {
      _ = Self.setOption(socket, SOL_NETLINK, option, 1)
    }
    // The kernel answers at once; should it not, an error is better than silence.
    var patience = timeval(tv_sec: 5, tv_usec: 0)
    _ = unsafe setsockopt(
      socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    if Self.setOption(socket, SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20) != 0 {
      _ = Self.setOption(socket, SOL_SOCKET, SO_RCVBUF, 4 << 20)
    }
    var address = sockaddr_nl()
    address.nl_family = sa_family_t(AF_NETLINK)
    address.nl_groups = groups
    _ = try systemCall {
      unsafe withUnsafePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe bind(socket, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
        }
      }
    }
    self.descriptor = descriptor
  }

  func send(_ bytes: [UInt8]) throws(Errno) {
    _ = try systemCall { unsafe Glibc.send(descriptor.rawValue, bytes, bytes.count, 0) }
  }

  /// Receives the next datagram into `datagram`; returns its length, 0 for one that is not the kernel's.
  mutating func receive() throws(Errno) -> Int {
    var sender = sockaddr_nl()
    var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
    let capacity = datagram.count
    let descriptor = descriptor.rawValue
    let count = try systemCall {
      unsafe withUnsafeMutablePointer(to: &sender) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe recvfrom(descriptor, &datagram, capacity, 0, $0, &length)
        }
      }
    }
    return sender.nl_pid == 0 ? min(count, capacity) : 0
  }

  private static func setOption(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) -> Int32 {
    var value = value
    return unsafe setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }
}
