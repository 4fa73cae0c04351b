public import Net

/// Allows `rate` events a second, and `burst` of them at once.
public struct TokenBucket: Sendable {
  private let interval: Int64
  private let depth: Int64
  /// Nanoseconds of credit.
  private var credit: Int64
  private var last = Instant.zero

  /// A full bucket.
  public init(rate: Int, burst: Int) {
    interval = 1_000_000_000 / Int64(rate)
    depth = interval * Int64(burst)
    credit = depth
  }

  /// Takes a token; `false` if there is none.
  ///
  /// A clock that stepped back gives no credit.
  public mutating func take(at now: Instant) -> Bool {
    let elapsed = last.duration(to: now).nanoseconds
    if elapsed > 0 {
      credit = min(depth, credit + min(elapsed, depth))
      last = now
    }
    guard credit >= interval else { return false }
    credit -= interval
    return true
  }
}
