internal import Net

/// A budget of handshakes for each source address: 20 in a second, five at once.
///
/// A source is an IPv4 address or an IPv6 /64, which is what one owner has. The table is bounded: sources idle for a second
/// are forgotten, and while it is full, new ones are refused. Only sources that proved their address get here.
struct RateLimiter {
  /// The most sources that are remembered.
  static let capacity = 8192
  private static let cost: Int64 = 1_000_000_000 / 20
  private static let burst = 5 * cost
  private static let idleTime: Int64 = 1_000_000_000

  private struct Bucket {
    var nanoseconds: Int64
    var updatedAt: Instant
  }

  private enum Source: Hashable {
    case v4(UInt32)
    case v6(UInt64)
  }

  private var buckets: [Source: Bucket] = [:]
  private var nextSweep = Instant.zero

  /// How many sources are remembered.
  var count: Int { buckets.count }

  /// Takes one handshake from the budget of `address`; false if there is none left.
  mutating func allow(_ address: IPAddress, at now: Instant) -> Bool {
    sweep(at: now)
    let source: Source =
      switch address {
      case .v4(let address): .v4(address.bits)
      case .v6(let address): .v6(address.high)
      }
    guard var bucket = buckets[source] else {
      guard buckets.count < Self.capacity else { return false }
      buckets[source] = Bucket(nanoseconds: Self.burst - Self.cost, updatedAt: now)
      return true
    }
    let elapsed = max(bucket.updatedAt.duration(to: now).nanoseconds, 0)
    bucket.nanoseconds = min(Self.burst, bucket.nanoseconds + min(elapsed, Self.burst))
    bucket.updatedAt = now
    let isAllowed = bucket.nanoseconds >= Self.cost
    if isAllowed { bucket.nanoseconds -= Self.cost }
    buckets[source] = bucket
    return isAllowed
  }

  private mutating func sweep(at now: Instant) {
    guard now >= nextSweep else { return }
    nextSweep = now.advanced(by: .nanoseconds(Self.idleTime))
    buckets = buckets.filter { $0.value.updatedAt.duration(to: now).nanoseconds < Self.idleTime }
  }
}
