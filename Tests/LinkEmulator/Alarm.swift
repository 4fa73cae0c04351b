import CLinux
import Glibc
import Net
import SystemPackage
import Tun

/// Wakes a poller at a point in time, to the precision of the kernel's timers; a poller's own timeout knows milliseconds only.
///
/// The corresponding C function is `timerfd_settime`.
struct Alarm: ~Copyable {
  private let timer: OwnedDescriptor
  private var instant = Instant.distantFuture

  /// An alarm that is not set.
  init() throws(Errno) {
    let descriptor = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    timer = OwnedDescriptor(descriptor)
  }

  /// The descriptor to watch for reading; quiet again once the alarm is set anew.
  var descriptor: FileDescriptor { timer.descriptor }

  /// Sets the alarm to `instant` alone; at once if that has passed, never for the distant future.
  mutating func set(_ instant: Instant) {
    guard instant != self.instant else { return }
    self.instant = instant
    // Zero would switch it off.
    let nanoseconds = instant == .distantFuture ? 0 : max(instant.nanoseconds, 1)
    var time = itimerspec()
    time.it_value.tv_sec = time_t(nanoseconds / 1_000_000_000)
    time.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
    // Fails for times out of range only.
    _ = timerfd_settime(timer.descriptor.rawValue, Int32(TFD_TIMER_ABSTIME), &time, nil)
  }
}
