/// A point on the boot clock, in nanoseconds.
///
/// The clock counts suspend (`CLOCK_BOOTTIME`), since keys must age while a machine sleeps. Only `meshd` reads it; every
/// machine below receives an `Instant` as a parameter.
@frozen
public struct Instant: Hashable, Sendable, BitwiseCopyable {
  /// Nanoseconds since boot.
  public var nanoseconds: Int64

  /// Makes the instant `nanoseconds` after boot.
  @inlinable
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// Boot itself.
  public static let zero = Instant(nanoseconds: 0)

  /// Later than every instant a clock can show: the deadline of a machine that waits for nothing.
  public static let distantFuture = Instant(nanoseconds: .max)
}

extension Instant: InstantProtocol {
  /// The instant `duration` later, saturating.
  @inlinable
  public func advanced(by duration: Duration) -> Instant {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.nanoseconds)
    return overflow
      ? (duration < .zero ? Instant(nanoseconds: .min) : .distantFuture) : Instant(nanoseconds: sum)
  }

  /// The time from this instant to `other`, saturating.
  @inlinable
  public func duration(to other: Instant) -> Duration {
    let (difference, overflow) = other.nanoseconds.subtractingReportingOverflow(nanoseconds)
    return .nanoseconds(overflow ? (other.nanoseconds > nanoseconds ? .max : .min) : difference)
  }

  /// Orders by number.
  @inlinable
  public static func < (lhs: Instant, rhs: Instant) -> Bool {
    lhs.nanoseconds < rhs.nanoseconds
  }
}

extension Duration {
  /// The duration in whole nanoseconds, saturating at ± 292 years.
  @inlinable
  public var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carry ? (seconds < 0 ? .min : .max) : sum
  }
}
