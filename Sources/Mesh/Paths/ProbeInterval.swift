internal import Net

/// Between two questions along a path: often while it matters, seldom while nothing happens.
enum ProbeInterval {
  /// A path is measured so many times before it is compared with others.
  static let openingCount = 4
  private static let opening = Duration.milliseconds(200)
  /// With traffic: the path that carries it, and the others.
  private static let inUse = Duration.milliseconds(250)
  private static let busy = Duration.milliseconds(500)
  /// A while after it, and long after.
  private static let idle = Duration.seconds(4)
  static let quiet = Duration.seconds(15)
  /// Along a path that does not answer, at most.
  private static let silent = Duration.seconds(60)
  /// How long ago traffic may be to be going on.
  static let moment = Duration.seconds(2)
  /// How long after traffic a path is still asked as if it might go on any moment, and a peer that rests is asked at all.
  static let idleTime = Duration.seconds(60)

  /// The interval for a path of this quality, with the last traffic `quietTime` ago.
  static func between(_ quality: PathQuality, isInUse: Bool, quietTime: Duration) -> Duration {
    guard quality.count >= openingCount else { return opening }
    var interval = quietTime < idleTime ? idle : quiet
    if quietTime < moment { interval = isInUse ? inUse : busy }
    guard quality.isSilent else { return interval }
    return min(interval * (1 << min(quality.unanswered - PathQuality.patience, 5)), silent)
  }
}
