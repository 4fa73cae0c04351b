internal import CLinux
internal import Glibc
public import SystemPackage

/// A small file that is read whole and replaced whole: configuration, keys, counters that outlive the
/// process.
public struct StateFile: Sendable {
  /// Where it is.
  public let path: FilePath

  /// Names a file; nothing is opened.
  public init(_ path: FilePath) {
    self.path = path
  }

  /// Reads the file; one of more than `limit` octets is refused (`EFBIG`).
  public func read(limit: Int = 1 << 24) throws(Errno) -> [UInt8] {
    let file = try OwnedDescriptor {
      unsafe path.withPlatformString { unsafe clinux_open($0, O_RDONLY | O_CLOEXEC, 0) }
    }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try systemCall { unsafe Glibc.read(file.rawValue, &chunk, chunk.count) }
      if count == 0 { return content }
      guard content.count + count <= limit else { throw .fileTooLarge }
      content.append(contentsOf: chunk[..<count])
    }
  }

  /// Replaces the file, readable by its owner alone.
  ///
  /// Whoever reads sees the old or the new content; also after a power failure if it `isDurable`, for which the call waits
  /// for the disk: seconds, if that is busy.
  public func write(_ content: [UInt8], isDurable: Bool = true) throws(Errno) {
    // In the same directory, since a rename works within one file system only.
    let temporary = path.removingLastComponent().appending(
      ".\(path.lastComponent?.string ?? "")-\(getpid()).tmp")
    do {
      try Self.write(content, to: temporary, isDurable: isDurable)
      _ = try systemCall {
        unsafe temporary.withPlatformString { old in
          unsafe path.withPlatformString { new in unsafe rename(old, new) }
        }
      }
    } catch {
      _ = unsafe temporary.withPlatformString { unsafe unlink($0) }
      throw error
    }
    if isDurable { try Self.synchronize(directory: path.removingLastComponent()) }
  }

  /// Removes the file, if it is there.
  public func remove() throws(Errno) {
    do {
      _ = try systemCall { unsafe path.withPlatformString { unsafe unlink($0) } }
    } catch {
      guard error == .noSuchFileOrDirectory else { throw error }
    }
  }

  /// Whether others than its owner may read or change the file: worth a warning when it holds a private key.
  public func isOpenToOthers() throws(Errno) -> Bool {
    var status = stat()
    _ = try systemCall { unsafe path.withPlatformString { unsafe stat($0, &status) } }
    return status.st_mode & (S_IRWXG | S_IRWXO) != 0
  }

  /// Makes a directory and those above it that are missing, with `mode` for each.
  public static func makeDirectory(_ path: FilePath, mode: UInt32 = 0o755) throws(Errno) {
    do {
      _ = try systemCall { unsafe path.withPlatformString { unsafe mkdir($0, mode) } }
    } catch {
      switch error {
      case .fileExists:
        return
      case .noSuchFileOrDirectory where !path.removingLastComponent().isEmpty:
        try makeDirectory(path.removingLastComponent(), mode: mode)
        _ = try systemCall { unsafe path.withPlatformString { unsafe mkdir($0, mode) } }
      default:
        throw error
      }
    }
  }

  private static func write(_ content: [UInt8], to path: FilePath, isDurable: Bool) throws(Errno) {
    let file = try OwnedDescriptor {
      unsafe path.withPlatformString {
        unsafe clinux_open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      }
    }
    var written = 0
    while written < content.count {
      written += try systemCall {
        unsafe content.withUnsafeBytes {
          unsafe Glibc.write(
            file.rawValue, $0.baseAddress.map { unsafe $0 + written }, content.count - written)
        }
      }
    }
    if isDurable { _ = try systemCall { fsync(file.rawValue) } }
  }

  /// Makes a rename last.
  private static func synchronize(directory path: FilePath) throws(Errno) {
    let path = path.isEmpty ? FilePath(".") : path
    let directory = try OwnedDescriptor {
      unsafe path.withPlatformString { unsafe clinux_open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
    }
    _ = try systemCall { fsync(directory.rawValue) }
  }
}
