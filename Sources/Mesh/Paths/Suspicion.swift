internal import Net

/// The time in which a path in use has to show that it lives, while all the others are asked as well.
struct Suspicion {
  /// How long it lasts at most: when no path answers, it is the link that is dead.
  static let duration = Duration.seconds(1)
  /// Between two questions along a path whose answers are late after `timeout`: no more than are remembered until then.
  static func interval(timeout: Duration) -> Duration {
    max(.milliseconds(40), timeout / PathProbing.capacity)
  }
  /// From the end of one to the next because of silence, at least; twice as long after each in which no path answered,
  /// since then it is the peer or the whole way that is dead, or has too much to do already.
  static func pause(afterFruitless count: Int) -> Duration { .milliseconds(200) * (1 << min(count, 8)) }

  /// How long a peer may be silent while packets are sent to it, at least and at most.
  static let leastPatience = Duration.milliseconds(80)
  static let mostPatience = Duration.milliseconds(300)

  /// When it began; answers to what was asked before prove nothing.
  let since: Instant
  /// What made us suspicious.
  let reason: PathSwitch.Reason
}
