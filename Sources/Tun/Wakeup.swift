internal import CLinux
internal import Glibc
public import SystemPackage

/// Wakes a thread that waits in a `Poller`.
///
/// The corresponding C function is `eventfd`.
///
/// Any thread may signal; one thread watches the descriptor and clears it. Several signals make one wake-up.
public final class Wakeup: Sendable {
  private let event: OwnedDescriptor

  /// Makes a quiet wake-up.
  public init() throws(Errno) {
    event = try OwnedDescriptor { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) }
  }

  /// The descriptor to watch for reading.
  public var descriptor: FileDescriptor { event.descriptor }

  /// Makes the descriptor readable.
  public func signal() {
    // The only failure is a counter at its limit, and then the descriptor is readable already.
    _ = eventfd_write(event.rawValue, 1)
  }

  /// Makes the descriptor quiet; returns whether it had been signalled.
  ///
  /// To be called before looking for the reason.
  @discardableResult
  public func clear() -> Bool {
    var count: eventfd_t = 0
    return unsafe eventfd_read(event.rawValue, &count) == 0
  }
}
