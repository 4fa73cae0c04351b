/// What becomes of a route that a filter rule matches.
public enum FilterAction: Hashable, Sendable {
  /// It passes as it is; a redistributed route has metric 0.
  case allow
  /// It is ignored.
  case deny
  /// It passes with this much added to its metric; a redistributed route has this metric.
  case metric(Metric)

  /// The metric to add, or to redistribute with; `nil` for a route that does not pass.
  var metric: Metric? {
    switch self {
    case .allow: .zero
    case .deny: nil
    case .metric(let metric): metric
    }
  }
}
