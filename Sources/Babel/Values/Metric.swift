/// A metric or a link cost: 16 bits, where all ones mean unreachable (RFC 8966 §3.5.2).
@frozen
public struct Metric: Hashable, Sendable, BitwiseCopyable {
  /// The number on the wire.
  public let rawValue: UInt16

  /// Makes the metric with this value.
  @inlinable
  public init(_ rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// The metric of an origin's own route.
  public static let zero = Metric(0)
  /// Unreachable; a route with this metric is a retraction.
  public static let infinity = Metric(.max)
  /// The cost of a working link before anything was measured (RFC 8966 appendix A.2.1).
  public static let wired = Metric(96)

  /// Whether the metric is that of a reachable destination.
  @inlinable
  public var isFinite: Bool { rawValue != .max }

  /// The sum; it saturates at infinity instead of wrapping.
  @inlinable
  public static func + (lhs: Metric, rhs: Metric) -> Metric {
    let (sum, overflow) = lhs.rawValue.addingReportingOverflow(rhs.rawValue)
    return overflow ? .infinity : Metric(sum)
  }
}

extension Metric: Comparable {
  /// By number, to have an order at all.
  @inlinable
  public static func < (lhs: Metric, rhs: Metric) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension Metric: CustomStringConvertible {
  /// The text form.
  public var description: String { isFinite ? "\(rawValue)" : "inf" }
}
