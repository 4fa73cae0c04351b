internal import CLinux
internal import Glibc
public import SystemPackage

/// One conversation on a stream socket.
public struct StreamConnection: ~Copyable, Sendable {
  private let socket: OwnedDescriptor

  internal init(_ socket: consuming OwnedDescriptor) {
    self.socket = socket
  }

  /// Connects to a listener, and waits in every call: for commands, not for the daemon.
  public init(to path: FilePath) throws(Errno) {
    let socket = try OwnedDescriptor { Glibc.socket(AF_UNIX, UnixAddress.type, 0) }
    try UnixAddress(path).connect(socket.rawValue)
    self.socket = socket
  }

  /// The descriptor to watch.
  public var descriptor: FileDescriptor { socket.descriptor }

  /// What has come, at most `limit` octets; empty at the end of the stream, `nil` if nothing waits.
  public func read(limit: Int = 1 << 16) throws(Errno) -> [UInt8]? {
    var octets = [UInt8](repeating: 0, count: limit)
    do {
      let count = try systemCall { unsafe Glibc.read(socket.rawValue, &octets, limit) }
      octets.removeLast(limit - count)
      return octets
    } catch {
      if error == .wouldBlock { return nil }
      throw error
    }
  }

  /// Writes as much as has room; returns how many octets that were.
  public func write(_ octets: ArraySlice<UInt8>) throws(Errno) -> Int {
    do {
      return try systemCall {
        unsafe octets.withUnsafeBytes {
          unsafe send(socket.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
      }
    } catch {
      if error == .wouldBlock { return 0 }
      throw error
    }
  }

  /// Tells the other side that nothing follows.
  public func finishWriting() {
    // Fails only when the other side has gone already.
    _ = shutdown(socket.rawValue, Int32(SHUT_WR))
  }
}
