internal import Net

/// What a link costs more because it failed again and again: others are preferred to it as long as there are any.
///
/// A link that is the only one goes on carrying packets whenever it can.
struct Damping: Sendable {
  /// How long a failure is remembered.
  private static let memory = Duration.seconds(30)
  private static let largest: UInt16 = 16 * Metric.wired.rawValue

  /// Failures with less than `memory` between each two of them.
  private var failures = 0
  /// When they are forgotten.
  private(set) var end = Instant.distantFuture

  /// Nothing for the first failure, then as much as a hop, and each time twice as much.
  var penalty: Metric {
    guard failures > 1 else { return .zero }
    return Metric(failures > 6 ? Self.largest : min(Metric.wired.rawValue << (failures - 2), Self.largest))
  }

  /// Notes that the link became unusable.
  mutating func fail(at now: Instant) {
    failures += 1
    end = now.advanced(by: Self.memory)
  }

  /// Forgets failures that are long ago.
  mutating func expire(at now: Instant) {
    if end <= now { self = Damping() }
  }
}
