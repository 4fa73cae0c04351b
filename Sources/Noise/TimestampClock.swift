public import Net

/// The timestamps of a device: the wall clock where it may be trusted, and always later than the last one.
///
/// A clock set back would make every initiation look old to the peers, until it has caught up. So the next timestamp is
/// never below the last one plus a grain, over restarts too: a *high-water mark* above everything used is to be kept
/// on disk, and is the lower bound of the next run.
public struct TimestampClock: Sendable {
  /// How far ahead a mark lies, so that it is written once a minute at most.
  public static let reserve: Duration = .seconds(60)

  /// The wall clock's time at `Instant.zero`; to be set again when the wall clock was stepped.
  public var epoch: Timestamp
  /// No timestamp up to now is above this: to be kept on disk before what was stamped is sent.
  public private(set) var highWaterMark: Timestamp
  private var last: Timestamp

  /// Starts above `highWaterMark`, as it was kept by the run before.
  public init(epoch: Timestamp, highWaterMark: Timestamp? = nil) {
    self.epoch = epoch
    let mark = highWaterMark ?? Timestamp(seconds: 0, nanoseconds: 0)
    self.highWaterMark = mark
    last = mark
  }

  /// The next timestamp: the wall clock's, or the last one plus a grain if that is later.
  public mutating func stamp(at now: Instant) -> Timestamp {
    let wall = epoch.advanced(by: Instant.zero.duration(to: now)).whitened
    last = max(wall, last.advanced(by: Timestamp.grain).whitened)
    if last > highWaterMark { highWaterMark = last.advanced(by: Self.reserve) }
    return last
  }
}
