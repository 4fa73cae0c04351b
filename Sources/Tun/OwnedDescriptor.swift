internal import Glibc
public import SystemPackage

/// A descriptor with one owner, closed when the owner goes.
public struct OwnedDescriptor: ~Copyable, Sendable {
  /// The descriptor, borrowed: valid as long as the owner.
  public let descriptor: FileDescriptor

  /// Takes ownership of an open descriptor.
  public init(_ rawValue: Int32) {
    descriptor = FileDescriptor(rawValue: rawValue)
  }

  /// Takes ownership of what a system call returned.
  @inline(__always)
  internal init(_ call: () -> Int32) throws(Errno) {
    self.init(try systemCall(call))
  }

  deinit {
    // Errors of close(2) tell nothing here: the descriptor is gone either way, and a second attempt could close another.
    _ = close(descriptor.rawValue)
  }

  /// The number of the descriptor.
  internal var rawValue: Int32 { descriptor.rawValue }
}
