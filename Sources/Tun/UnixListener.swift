internal import CLinux
internal import Glibc
public import SystemPackage

/// A listening stream socket in the file system: where `wg` and `meshd show` ask.
public struct UnixListener: ~Copyable {
  private let socket: OwnedDescriptor
  /// The socket's file; `nil` for an inherited socket.
  public let path: FilePath?

  /// Binds a socket that its owner alone may connect to, from its first moment on.
  ///
  /// The directory must exist.
  ///
  /// The file of a process that ended without removing it is taken over: that is, when nobody answers there.
  public init(at path: FilePath) throws(UnixListenerError) {
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

  /// Serves a socket that another program bound (`WG_UAPI_FD`).
  public init(adopting descriptor: consuming OwnedDescriptor) throws(UnixListenerError) {
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
  public func accept() throws(Errno) -> UnixConnection? {
    do {
      return UnixConnection(try OwnedDescriptor { clinux_accept(socket.rawValue) })
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
