import Net

/// What has passed one direction of a link.
public struct LinkCounters: Sendable {
  /// Frames that came in.
  public internal(set) var received = 0
  /// Frames handed to the other end.
  public internal(set) var delivered = 0
  /// How much later than due that was.
  public internal(set) var lateness = Lateness()
  private var drops: [DropReason: Int] = [:]

  /// Frames dropped for a reason.
  public func dropped(_ reason: DropReason) -> Int {
    drops[reason, default: 0]
  }

  mutating func drop(_ reason: DropReason, count: Int = 1) {
    drops[reason, default: 0] += count
  }

  mutating func countRefusal() {
    delivered -= 1
    drop(.refused)
  }
}

extension LinkCounters: CustomStringConvertible {
  /// Words of the form `name=number`, for scripts.
  public var description: String {
    let drops = DropReason.allCases.map { "\($0)=\(dropped($0))" }
    let late = [
      ("p50", lateness.quantile(0.5)), ("p99", lateness.quantile(0.99)), ("max", lateness.maximum),
    ].map { "late_\($0)_us=\($1.nanoseconds / 1000)" }
    return (["received=\(received)", "delivered=\(delivered)"] + drops + late).joined(separator: " ")
  }
}
