public import Babel
public import Net

extension Configuration {
  /// A prefix that a node announces (`Announce`).
  public struct Announcement: Sendable, Hashable {
    /// Where packets may go.
    public var prefix: IPPrefix
    /// Where they must come from, in the prefix's family; `nil` is anywhere.
    public var source: IPPrefix?
    /// The metric at this node; others prefer the smallest sum.
    public var metric: Metric

    /// Makes an announcement.
    public init(_ prefix: IPPrefix, source: IPPrefix? = nil, metric: Metric = .zero) {
      self.prefix = prefix
      self.source = source
      self.metric = metric
    }
  }
}

extension Configuration.Announcement: CustomStringConvertible {
  /// `PREFIX [from SOURCE] [metric N]`.
  public var description: String {
    "\(prefix)" + (source.map { " from \($0)" } ?? "") + (metric == .zero ? "" : " metric \(metric)")
  }
}
