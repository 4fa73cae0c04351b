/// What delay adds to the cost of a link (RFC 9616 §3.2): nothing up to a shortest round trip, everything from a longest
/// one on, and a straight line between.
///
/// The bound is what keeps the feedback of traffic on delay, and of delay on routes, from growing.
public struct DelayPenalty: Sendable, Equatable {
  /// Round trips up to this cost nothing.
  public var minimum: Duration
  /// Round trips from this on cost `penalty`.
  public var maximum: Duration
  /// The most that delay adds.
  public var penalty: Metric

  /// Makes a penalty; `maximum` must be the longer one.
  public init(minimum: Duration, maximum: Duration, penalty: Metric) {
    self.minimum = minimum
    self.maximum = maximum
    self.penalty = penalty
  }

  /// The defaults of babeld and BIRD for tunnels: two hops of 10 ms cost as much as one of 120 ms.
  public static let stock = DelayPenalty(
    minimum: .milliseconds(10), maximum: .milliseconds(120), penalty: Metric(96))
  /// Between meshd nodes, which may be on different continents: about 1 per millisecond.
  public static let mesh = DelayPenalty(
    minimum: .milliseconds(10), maximum: .milliseconds(400), penalty: Metric(400))
  /// Delay is measured, but costs nothing.
  public static let none = DelayPenalty(minimum: .zero, maximum: .seconds(1), penalty: .zero)

  /// What a round trip of this length adds.
  func cost(of roundTrip: Duration) -> Metric {
    guard roundTrip > minimum else { return .zero }
    guard roundTrip < maximum else { return penalty }
    return Metric(UInt16(Double(penalty.rawValue) * ((roundTrip - minimum) / (maximum - minimum))))
  }
}
