public import Net

/// A prefix that this node announces itself: an xroute, as babeld calls it.
public struct XrouteRow: Sendable, Equatable {
  /// The destination.
  public var prefix: IPPrefix
  /// Where packets must come from; `nil` is anywhere.
  public var source: IPPrefix?
  /// The metric it is announced with.
  public var metric: UInt16

  /// Makes a row.
  public init(prefix: IPPrefix, source: IPPrefix? = nil, metric: UInt16) {
    self.prefix = prefix
    self.source = source
    self.metric = metric
  }
}
