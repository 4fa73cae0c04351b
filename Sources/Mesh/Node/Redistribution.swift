public import Babel
internal import Net

/// What a node announces of the host's own routes: a choice by rules, as a value.
public struct Redistribution: Sendable, Equatable {
  private let filter: Filter

  /// Takes the rules of an interface.
  ///
  /// `Filter = redistribute …` comes first, then what `Announce = connected` and `Announce = kernel …` let in; anything else
  /// stays out.
  public init(_ interface: Configuration.Interface) {
    let admitted = interface.redistribute.map { origin in
      var rule = FilterRule(.redistribute)
      rule.origin = .kernel(origin)
      return rule
    }
    filter = Filter(.redistribute, of: interface.filters + admitted)
  }

  /// Whether nothing is ever redistributed, so that nobody needs to read the kernel's table.
  public var isEmpty: Bool { !filter.rules.contains { $0.action != .deny } }

  /// What is announced of `routes`, the best metric for each prefix, by prefix.
  ///
  /// Never a route of a Babel daemon, which would come back to where it came from, and never a prefix that no node may
  /// announce.
  public func announcements(of routes: [FilterCandidate]) -> [Configuration.Announcement] {
    var metrics: [RouteName: Metric] = [:]
    for route in routes where route.origin != .kernel(.babel) && !route.prefix.isMartian {
      guard let metric = filter.metric(for: route) else { continue }
      let name = RouteName(prefix: route.prefix, source: route.source)
      metrics[name] = min(metrics[name] ?? metric, metric)
    }
    return metrics.map { Configuration.Announcement($0.prefix, source: $0.source, metric: $1) }
      .sorted { ($0.prefix, $0.source?.description ?? "") < ($1.prefix, $1.source?.description ?? "") }
  }

  private struct RouteName: Hashable {
    var prefix: IPPrefix
    var source: IPPrefix?
  }
}
