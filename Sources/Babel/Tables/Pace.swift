internal import Net

/// How fast packets may leave: so many per second, and so many at once after a pause (the generic cell rate algorithm).
struct Pace: Sendable {
  private let interval: Duration
  private let burst: Int
  /// When all that was sent would have left at the even pace.
  private var horizon = Instant.zero

  /// Makes a pace of `rate` packets per second.
  init(rate: Int, burst: Int) {
    interval = .seconds(1) / rate
    self.burst = burst
  }

  /// What nobody waits for: it leaves time for the rest, here and at the neighbour.
  static let calm = Pace(rate: 64, burst: 16)
  /// Retractions, new routes, requests and answers.
  static let urgent = Pace(rate: 200, burst: 32)

  /// How many packets may leave now; none or fewer while too many did.
  func allowance(at now: Instant) -> Int {
    guard horizon > now else { return burst }
    return burst - Int((now.duration(to: horizon) / interval).rounded(.up))
  }

  /// When a packet may leave.
  var ready: Instant { horizon.advanced(by: interval * (1 - burst)) }

  /// Notes that packets leave.
  mutating func spend(_ count: Int, at now: Instant) {
    horizon = max(horizon, now).advanced(by: interval * count)
  }
}
