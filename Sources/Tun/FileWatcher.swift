internal import CLinux
internal import Glibc
public import SystemPackage

/// Notices that a file is removed: the way to end a WireGuard daemon is to delete its socket.
///
/// The corresponding C functions are `inotify_*`.
public struct FileWatcher: ~Copyable {
  private let watcher: OwnedDescriptor
  private let path: FilePath
  private let identity: ino_t

  /// Watches a file that exists.
  public init(_ path: FilePath) throws(Errno) {
    let watcher = try OwnedDescriptor { inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK)) }
    // The directory, since a socket's own node says nothing while somebody holds it open.
    let directory = path.removingLastComponent()
    _ = try systemCall {
      unsafe (directory.isEmpty ? FilePath(".") : directory).withPlatformString {
        unsafe inotify_add_watch(watcher.rawValue, $0, UInt32(IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF))
      }
    }
    identity = try Self.identity(path)
    self.path = path
    self.watcher = watcher
  }

  /// The descriptor to watch for reading.
  public var descriptor: FileDescriptor { watcher.descriptor }

  /// Reads the news of the directory; returns whether the file has gone or another has taken its place.
  public func isRemoved() throws(Errno) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    do {
      while try systemCall({ unsafe read(watcher.rawValue, &buffer, buffer.count) }) > 0 {}
    } catch {
      guard error == .wouldBlock else { throw error }
    }
    do {
      return try Self.identity(path) != identity
    } catch {
      guard error == .noSuchFileOrDirectory else { throw error }
      return true
    }
  }

  private static func identity(_ path: FilePath) throws(Errno) -> ino_t {
    var status = stat()
    _ = try systemCall { unsafe path.withPlatformString { unsafe lstat($0, &status) } }
    return status.st_ino
  }
}
