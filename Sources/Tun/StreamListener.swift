internal import CLinux
internal import Glibc
internal import Net
public import SystemPackage

/// A listening stream socket: in the file system, where `wg` and `meshd show` ask, or a TCP port of this host alone.
public struct StreamListener: ~Copyable {
  private let socket: OwnedDescriptor
  /// The socket's file; `nil` for an inherited socket and for a port.
  public let path: FilePath?

  /// Binds a socket that its owner alone may connect to, from its first moment on.
  ///
  /// The directory must exist.
  ///
  /// The file of a process that ended without removing it is taken over: that is, when nobody answers there.
  public init(at path: FilePath) throws(StreamListenerError) {
    do {
      socket = try Self.open(at: path)
    } catch {
      switch error {
      case .addressInUse: throw .inUse(path)
      case .fileNameTooLong: throw .pathTooLong(path)
      default: throw .failed(error, in: "bind(\(path))")
      }
    }
    self.path = path
  }

  /// Binds a TCP port at ::1, which every local user may connect to.
  public init(loopbackPort port: UInt16) throws(StreamListenerError) {
    do {
      let socket = try OwnedDescriptor {
        Glibc.socket(AF_INET6, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      }
      // A daemon that starts again does not wait for the last connections of the one before it.
      var isReused: Int32 = 1
      _ = try systemCall {
        unsafe setsockopt(
          socket.rawValue, SOL_SOCKET, SO_REUSEADDR, &isReused, socklen_t(MemoryLayout<Int32>.size))
      }
      let loopback = IPv6Address(high: 0, low: 1)
      _ = try SocketAddress.bind(socket.rawValue, to: Endpoint(address: .v6(loopback), port: port))
      try Self.listen(socket.rawValue)
      self.socket = socket
    } catch {
      throw error == .addressInUse ? .portInUse(port) : .failed(error, in: "bind([::1]:\(port))")
    }
    path = nil
  }

  /// Serves a socket that another program bound (`WG_UAPI_FD`).
  public init(adopting descriptor: consuming OwnedDescriptor) throws(StreamListenerError) {
    do {
      try Self.listen(descriptor.rawValue)
    } catch {
      throw .failed(error, in: "listen")
    }
    socket = descriptor
    path = nil
  }

  /// The descriptor to watch for reading.
  public var descriptor: FileDescriptor { socket.descriptor }

  /// The next connection that waits; `nil` if none does.
  public func accept() throws(Errno) -> StreamConnection? {
    do {
      return StreamConnection(try OwnedDescriptor { clinux_accept(socket.rawValue) })
    } catch {
      switch error {
      // The last: the client has given up meanwhile.
      case .wouldBlock, .connectionAbort: return nil
      default: throw error
      }
    }
  }

  /// Stops serving and removes the socket's file.
  public consuming func remove() {
    guard let path else { return }
    _ = unsafe path.withPlatformString { unsafe unlink($0) }
  }

  private static func open(at path: FilePath) throws(Errno) -> OwnedDescriptor {
    let address = try UnixAddress(path)
    let socket = try OwnedDescriptor { Glibc.socket(AF_UNIX, UnixAddress.type, 0) }
    // Linux takes the mode of the file from that of the socket. A umask would be the whole process' for a moment.
    _ = try systemCall { fchmod(socket.rawValue, 0o600) }
    do {
      try address.bind(socket.rawValue)
    } catch {
      guard error == .addressInUse, try !address.answers() else { throw error }
      _ = unsafe path.withPlatformString { unsafe unlink($0) }
      try address.bind(socket.rawValue)
    }
    try listen(socket.rawValue)
    return socket
  }

  private static func listen(_ socket: Int32) throws(Errno) {
    _ = try systemCall { clinux_make_nonblocking(socket) }
    _ = try systemCall { Glibc.listen(socket, 64) }
  }
}
