public import SystemPackage

/// Why the kernel refused a change, with its own words where it has some (`NETLINK_EXT_ACK`).
public struct NetlinkError: Error, Sendable, Equatable {
  /// The error.
  public var errno: Errno
  /// What the kernel says about it.
  public var text: String?

  /// Makes an error without words.
  public init(_ errno: Errno) {
    self.errno = errno
  }

  /// Reads the kernel's negative number; `nil` for success, and for what is no error number.
  internal init?(negated number: Int32?) {
    guard let number, number < 0, number > -4096 else { return nil }
    self.init(Errno(rawValue: -number))
  }
}

extension NetlinkError: CustomStringConvertible {
  /// The kernel's words and the error.
  public var description: String {
    text.map { "\($0) (\(errno))" } ?? "\(errno)"
  }
}
