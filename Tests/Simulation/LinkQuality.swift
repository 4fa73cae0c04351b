public import Net

/// What one direction of an underlay link does to datagrams.
public struct LinkQuality: Sendable {
  /// The way of every datagram.
  public var delay: Duration
  /// Up to this much more, evenly distributed; more than the distance of two datagrams reorders them.
  public var jitter: Duration
  /// The share of datagrams lost.
  public var loss: Double
  /// The share that arrives twice.
  public var duplication: Double
  /// The share that is held back for ten times the delay, and so overtaken.
  public var reordering: Double
  /// Whether everything is lost, without anybody being told.
  public var isCut = false

  /// A link; the default is a good one.
  public init(
    delay: Duration = .milliseconds(5), jitter: Duration = .zero, loss: Double = 0, duplication: Double = 0,
    reordering: Double = 0
  ) {
    self.delay = delay
    self.jitter = jitter
    self.loss = loss
    self.duplication = duplication
    self.reordering = reordering
  }

  /// When the copies of a datagram arrive, counted from now; none if it is lost.
  ///
  /// Draws the same number of values whatever becomes of the datagram, so that a changed link does not change the luck of
  /// the others.
  func arrivals(using random: inout SplitMix64) -> [Duration] {
    let isLost = random.share() < loss
    let isDoubled = random.share() < duplication
    let isLate = random.share() < reordering
    let first = delay + random.duration(below: jitter) + (isLate ? delay * 10 : .zero)
    let second = delay + random.duration(below: jitter) + delay
    guard !isLost, !isCut else { return [] }
    return isDoubled ? [first, second] : [first]
  }
}

extension SplitMix64 {
  /// A value from 0 up to 1.
  mutating func share() -> Double {
    Double(next() >> 11) / Double(1 << 53)
  }

  /// A duration below `limit`; zero if there is none.
  public mutating func duration(below limit: Duration) -> Duration {
    .nanoseconds(Int64(share() * Double(limit.nanoseconds)))
  }
}
