/// The rules of one direction: the first that matches decides.
///
/// Routes that none matches pass between neighbours, but are not redistributed (babeld(8), "Filtering rules").
public struct Filter: Sendable, Equatable {
  /// Which routes the filter is for.
  public let direction: FilterRule.Direction
  /// The rules in their order, all of this direction.
  public let rules: [FilterRule]

  /// Makes a filter of those among `rules` that are for this direction.
  public init(_ direction: FilterRule.Direction, of rules: [FilterRule] = []) {
    self.direction = direction
    self.rules = rules.filter { $0.direction == direction }
  }

  /// What is added to the metric of a route that passes, or the metric that it is redistributed with; `nil` for a route that
  /// does not pass.
  public func metric(for candidate: FilterCandidate) -> Metric? {
    guard let rule = rules.first(where: { $0.matches(candidate) }) else {
      return direction == .redistribute ? nil : .zero
    }
    return rule.action.metric
  }

  /// Whether the route is denied whoever originated it: then it never was and never will be let through by these rules.
  func deniesAnyOriginator(of candidate: FilterCandidate) -> Bool {
    for rule in rules {
      var general = rule
      general.routerID = nil
      guard general.matches(candidate) else { continue }
      if rule.action.metric != nil { return false }
      if rule.routerID == nil { return true }
    }
    return direction == .redistribute
  }
}
