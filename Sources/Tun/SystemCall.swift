internal import Glibc
internal import SystemPackage

/// Makes a system call, again when a signal interrupted it: the one place that knows about `EINTR`.
@inline(__always)
internal func systemCall<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
  while true {
    let result = call()
    if result >= 0 { return result }
    let error = Errno.latest
    if error != .interrupted { throw error }
  }
}

extension Errno {
  /// What the last failed call of this thread left in `errno`.
  @inline(__always)
  internal static var latest: Errno { Errno(rawValue: errno) }

  /// The corresponding C error is `ENODEV`: the interface that a datagram names has gone.
  internal static var noDevice: Errno { Errno(rawValue: Glibc.ENODEV) }

  /// The corresponding C error is `EBADFD`: the device behind the descriptor has been deleted.
  internal static var badDescriptorState: Errno { Errno(rawValue: EBADFD) }
}
