internal import CLinux
internal import Glibc
public import SystemPackage

/// Notices that a file is removed: the way to end a WireGuard daemon is to delete its socket.
///
/// The corresponding C functions are `inotify_*`.
public struct FileWatcher: ~Copyable {
  private let watcher: OwnedDescriptor
  private let name: [UInt8]
  private var hasGone = false

  /// Watches a file that exists.
  public init(_ path: FilePath) throws(Errno) {
    guard let name = path.lastComponent else { throw .noSuchFileOrDirectory }
    let watcher = try OwnedDescriptor { inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK)) }
    // The directory, since a socket's own node says nothing while somebody holds it open.
    let directory = path.removingLastComponent()
    _ = try systemCall {
      unsafe (directory.isEmpty ? FilePath(".") : directory).withPlatformString {
        unsafe inotify_add_watch(
          watcher.rawValue, $0, UInt32(IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF))
      }
    }
    // Looked for after the watch began, so that no removal falls between.
    _ = try systemCall { unsafe path.withPlatformString { unsafe access($0, F_OK) } }
    self.name = Array(name.string.utf8)
    self.watcher = watcher
  }

  /// The descriptor to watch for reading.
  public var descriptor: FileDescriptor { watcher.descriptor }

  /// Reads the news of the directory; returns whether the file has ever gone or been replaced.
  public mutating func isRemoved() throws(Errno) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    do {
      while true {
        let count = try systemCall { unsafe read(watcher.rawValue, &buffer, buffer.count) }
        take(unsafe buffer.span.bytes.extracting(first: count))
      }
    } catch {
      guard error == .wouldBlock else { throw error }
      return hasGone
    }
  }

  /// Reads `struct inotify_event`s, each followed by a name that is filled up with zeros.
  private mutating func take(_ events: RawSpan) {
    // wd, mask, cookie, len: four octets each.
    let headerLength = 16
    var rest = events
    while rest.byteCount >= headerLength,
      let mask = rest.number(4..<8, as: UInt32.self), let length = rest.number(12..<16, as: UInt32.self)
    {
      let end = min(headerLength + Int(length), rest.byteCount)
      let isDirectory = mask & UInt32(IN_DELETE_SELF) != 0
      // The kernel dropped events: whether ours was among them, only a look could tell, and a look can be too late.
      let isOverflow = mask & UInt32(IN_Q_OVERFLOW) != 0
      if isDirectory || isOverflow || rest.text(headerLength..<end) == String(decoding: name, as: UTF8.self) {
        hasGone = true
      }
      rest = rest.extracting(end..<rest.byteCount)
    }
  }
}
