internal import Net

/// The clock of timestamps: microseconds modulo 2^32 from an arbitrary origin (RFC 9616 §2.1).
struct FreeRunningClock: Sendable, Equatable {
  /// What the clock shows at `Instant.zero`.
  ///
  /// Drawn at random, since nobody needs to know how long this machine has been running.
  let origin: UInt32

  /// What the clock shows at `now`.
  func time(at now: Instant) -> UInt32 {
    origin &+ UInt32(truncatingIfNeeded: now.nanoseconds / 1000)
  }
}
