internal import Net

/// The time in which a path in use has to show that it lives, while all the others are asked as well.
struct Suspicion {
  /// How long it lasts at most: when no path answers, it is the link that is dead.
  static let duration = Duration.seconds(1)
  /// Between two questions along one path.
  static let interval = Duration.milliseconds(40)
  /// Between the end of one that came to nothing and the next for the same reason.
  static let pause = Duration.milliseconds(200)

  /// How long a peer may be silent while packets are sent to it, at least and at most.
  static let leastPatience = Duration.milliseconds(80)
  static let mostPatience = Duration.milliseconds(300)

  /// When it began; answers to what was asked before prove nothing.
  let since: Instant
  /// What made us suspicious.
  let reason: PathSwitch.Reason
}
