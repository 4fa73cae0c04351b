internal import Glibc
internal import Net
internal import SystemPackage

/// The layout of `struct sockaddr_in` and `struct sockaddr_in6`.
internal enum SocketAddress {
  /// Octets of the longer one.
  static let capacity = MemoryLayout<sockaddr_in6>.size

  /// Writes an endpoint; returns how many octets it takes.
  static func write(_ endpoint: Endpoint, into room: inout MutableRawSpan) -> Int {
    room.set(big16: endpoint.port, at: 2)
    switch endpoint.address {
    case .v4(let address):
      room.storeBytes(of: UInt16(AF_INET), toByteOffset: 0, as: UInt16.self)
      room.set(big32: address.bits, at: 4)
      room.set(big64: 0, at: 8)
      return MemoryLayout<sockaddr_in>.size
    case .v6(let address):
      room.storeBytes(of: UInt16(AF_INET6), toByteOffset: 0, as: UInt16.self)
      room.set(big32: 0, at: 4)
      room.set(big64: address.high, at: 8)
      room.set(big64: address.low, at: 16)
      room.storeBytes(of: endpoint.scope, toByteOffset: 24, as: UInt32.self)
      return MemoryLayout<sockaddr_in6>.size
    }
  }

  /// Reads what the kernel wrote; `nil` for another family.
  static func read(_ name: RawSpan) -> Endpoint? {
    guard name.byteCount >= MemoryLayout<sockaddr_in>.size else { return nil }
    let family = unsafe name.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt16.self)
    let port = name.big16(2)
    switch Int32(family) {
    case AF_INET:
      return Endpoint(address: .v4(IPv4Address(bits: name.big32(4))), port: port)
    case AF_INET6 where name.byteCount >= MemoryLayout<sockaddr_in6>.size:
      let address = IPv6Address(high: name.big64(8), low: name.big64(16))
      // Only link-local addresses have a zone; elsewhere it would make equal endpoints unequal.
      let scope =
        address.isLinkLocal ? unsafe name.unsafeLoadUnaligned(fromByteOffset: 24, as: UInt32.self) : 0
      return Endpoint(address: .v6(address), port: port, scope: scope)
    default:
      return nil
    }
  }
}

extension SocketAddress {
  private static func write(_ endpoint: Endpoint, into octets: inout [UInt8]) -> Int {
    var octets = octets.mutableSpan
    var room = unsafe octets.mutableBytes
    return write(endpoint, into: &room)
  }

  /// The corresponding C function is `connect`.
  static func connect(_ socket: Int32, to endpoint: Endpoint) throws(Errno) {
    var octets = [UInt8](repeating: 0, count: capacity)
    let length = write(endpoint, into: &octets)
    _ = try systemCall {
      unsafe octets.withUnsafeBytes {
        unsafe Glibc.connect(
          socket, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(length))
      }
    }
  }

  /// The corresponding C functions are `bind` and `getsockname`; returns what the socket is bound to.
  static func bind(_ socket: Int32, to endpoint: Endpoint) throws(Errno) -> Endpoint {
    var octets = [UInt8](repeating: 0, count: 32)
    let length = write(endpoint, into: &octets)
    _ = try systemCall {
      unsafe octets.withUnsafeBytes {
        unsafe Glibc.bind(socket, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(length))
      }
    }
    var bound = socklen_t(octets.count)
    _ = try systemCall {
      unsafe octets.withUnsafeMutableBytes {
        unsafe getsockname(socket, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &bound)
      }
    }
    return read(unsafe octets.span.bytes.extracting(first: Int(bound))) ?? endpoint
  }
}
