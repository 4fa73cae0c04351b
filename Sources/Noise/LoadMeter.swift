public import Net

/// Whether a device is under load by handshakes, and for a second after.
///
/// It is when messages wait in an eighth of their queue, as in the kernel module, or arrive faster than a core works them
/// off. One second of stickiness keeps peers from being asked for a cookie by one message and not by the next.
public struct LoadMeter: Sendable {
  private let cost: Duration
  private let burst: Duration
  private var busyUntil = Instant.zero
  private var loadedUntil = Instant.zero

  /// Makes a meter: a handshake takes 1/`perSecond`, and `burst` of them may come at once.
  public init(perSecond: Int = 1_000, burst: Int = 256) {
    cost = .nanoseconds(1_000_000_000 / Int64(max(perSecond, 1)))
    self.burst = cost * burst
  }

  /// Counts one message with a right mac1, and says whether the device is under load.
  public mutating func handshakeArrived(queued: Int, capacity: Int, at now: Instant) -> Bool {
    busyUntil = max(busyUntil, now).advanced(by: cost)
    let backlog = now.duration(to: busyUntil)
    if backlog > burst {
      // More is not owed: the flood's length must not say how long the load lasts.
      busyUntil = now.advanced(by: burst)
      loadedUntil = now.advanced(by: .seconds(1))
    }
    if queued >= max(capacity / 8, 1) { loadedUntil = now.advanced(by: .seconds(1)) }
    return isUnderLoad(at: now)
  }

  /// Whether the device is under load at `now`.
  public func isUnderLoad(at now: Instant) -> Bool {
    now < loadedUntil
  }
}
