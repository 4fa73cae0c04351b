internal import Glibc
public import Net

/// The two clocks of the machine.
///
/// The control thread reads them once per turn, a lane once per batch.
public struct SystemClock: Sendable {
  /// Makes a clock.
  public init() {}

  /// The boot clock, which counts suspend.
  ///
  /// The corresponding C clock is `CLOCK_BOOTTIME`.
  public var now: Instant {
    Instant(nanoseconds: Self.read(CLOCK_BOOTTIME))
  }

  /// Nanoseconds since 1970 (UTC, leap seconds not counted).
  ///
  /// The corresponding C clock is `CLOCK_REALTIME`.
  public var wallNanoseconds: Int64 {
    Self.read(CLOCK_REALTIME)
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    // Fails for an unknown clock or a bad address only.
    _ = unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
