public import Net

/// One line of a filter, as in babeld(8): it matches a route that satisfies all of its selectors.
public struct FilterRule: Hashable, Sendable {
  /// Which routes a rule is for.
  public enum Direction: String, Sendable, CaseIterable {
    /// Those that neighbours announce.
    case `in`
    /// Those that are announced to neighbours.
    case out
    /// Those of the host's kernel.
    case redistribute
  }

  /// Which routes the rule is for.
  public var direction: Direction
  /// `ip`: the prefix that holds the destination.
  public var prefix: IPPrefix?
  /// `eq`, `ge`, `le`: the length of the destination.
  public var lengths: ClosedRange<UInt8> = FilterRule.anyLength
  /// `src-ip`: the prefix that holds the source prefix.
  ///
  /// A route from anywhere has ::/0 or 0.0.0.0/0.
  public var source: IPPrefix?
  /// `src-eq`, `src-ge`, `src-le`: the length of the source prefix.
  public var sourceLengths: ClosedRange<UInt8> = FilterRule.anyLength
  /// `neigh`: the neighbour's link-local address.
  public var neighbour: IPv6Address?
  /// `id`: the originator.
  public var routerID: RouterID?
  /// `proto` and `local`: where a redistributed route comes from.
  public var origin: FilterCandidate.Origin?
  /// `if`: the interface that a redistributed route leads to.
  public var interface: String?
  /// What becomes of a route that matches.
  public var action: FilterAction

  /// Every length of either family.
  public static let anyLength: ClosedRange<UInt8> = 0...128

  /// Makes a rule that matches everything.
  public init(_ direction: Direction, action: FilterAction = .allow) {
    self.direction = direction
    self.action = action
  }

  /// Whether the rule is about this route.
  public func matches(_ candidate: FilterCandidate) -> Bool {
    guard prefix?.contains(candidate.prefix) ?? true, lengths.contains(candidate.prefix.length) else {
      return false
    }
    if let source {
      guard source.family == candidate.prefix.family else { return false }
      guard candidate.source.map(source.contains) ?? source.isDefault else { return false }
    }
    guard sourceLengths.contains(candidate.source?.length ?? 0),
      neighbour == nil || neighbour == candidate.neighbour,
      routerID == nil || routerID == candidate.routerID,
      interface == nil || interface == candidate.interface
    else { return false }
    return matches(candidate.origin)
  }

  /// A rule that names no origin is about no address of the host, and about no route that nobody gave a protocol.
  private func matches(_ origin: FilterCandidate.Origin?) -> Bool {
    guard self.origin == nil else { return self.origin == origin }
    return origin != .local && origin != .kernel(.boot)
  }
}
