internal import CLinux
internal import Glibc
internal import SystemPackage

/// The address of a socket in the file system: `struct sockaddr_un`.
internal struct UnixAddress {
  /// What such sockets are opened as.
  static let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)

  private var storage = sockaddr_un()

  /// - Throws: `ENAMETOOLONG` if the path does not fit.
  init(_ path: FilePath) throws(Errno) {
    storage.sun_family = sa_family_t(AF_UNIX)
    let octets = Array(path.string.utf8)
    let fits = unsafe withUnsafeMutableBytes(of: &storage.sun_path) { room in
      guard octets.count < room.count else { return false }
      unsafe room.copyBytes(from: octets)
      return true
    }
    guard fits else { throw .fileNameTooLong }
  }

  func bind(_ socket: Int32) throws(Errno) {
    _ = try unsafe withAddress { unsafe Glibc.bind(socket, $0, $1) }
  }

  func connect(_ socket: Int32) throws(Errno) {
    _ = try unsafe withAddress { unsafe Glibc.connect(socket, $0, $1) }
  }

  /// Whether a process accepts connections here.
  func answers() throws(Errno) -> Bool {
    let socket = try OwnedDescriptor {
      Glibc.socket(AF_UNIX, Self.type | Int32(SOCK_NONBLOCK.rawValue), 0)
    }
    do {
      try connect(socket.rawValue)
      return true
    } catch {
      switch error {
      case .connectionRefused, .noSuchFileOrDirectory: return false
      // Its queue is full: it lives.
      case .wouldBlock: return true
      default: throw error
      }
    }
  }

  private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) throws(Errno) -> Int32 {
    try systemCall {
      unsafe withUnsafePointer(to: storage) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
    }
  }
}
