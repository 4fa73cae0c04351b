import Net

/// How much later than due frames were handed out: what the machine adds to a link's delay.
public struct Lateness: Sendable {
  private static let step = Duration.microseconds(10)
  /// How many frames were late by each number of whole steps; the last place stands for all beyond.
  private var histogram = [Int](repeating: 0, count: 1001)
  private var count = 0
  /// The largest.
  public private(set) var maximum = Duration.zero

  /// Nothing measured.
  public init() {}

  /// Adds a frame.
  public mutating func add(_ lateness: Duration) {
    let steps = Int(clamping: max(lateness, .zero).nanoseconds / Self.step.nanoseconds)
    histogram[min(steps, histogram.count - 1)] += 1
    count += 1
    maximum = max(maximum, lateness)
  }

  /// The lateness that this share of the frames did not exceed, rounded up to 10 µs; zero without frames.
  public func quantile(_ share: Double) -> Duration {
    let rank = Int((share * Double(count)).rounded(.up))
    guard rank > 0 else { return .zero }
    var sum = 0
    for (steps, frames) in histogram.dropLast().enumerated() {
      sum += frames
      if sum >= rank { return min(Self.step * (steps + 1), maximum) }
    }
    return maximum
  }
}
