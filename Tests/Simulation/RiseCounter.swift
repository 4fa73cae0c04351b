import Mesh
import Net

/// Notices networks that count to infinity: after the loss of a node the metrics of the ways to it must not go up and up.
struct RiseCounter {
  private struct Way: Hashable {
    var host: Int
    var prefix: IPPrefix
  }

  private struct Metric {
    var last: UInt16
    var rises = 0
  }

  /// A rise by less than half a link is one of delay.
  private static let notable: UInt16 = 48
  /// How often the metric of one way may rise after its end has gone, until the news has reached everybody.
  private static let limit = 8

  private let origins: [IPPrefix: Int]
  private var lost: Set<Int> = []
  private var metrics: [Way: Metric] = [:]
  /// Ways whose metric rose too often, in words.
  private(set) var violations: [String] = []
  /// The most rises of any way.
  private(set) var most = 0

  init(_ hosts: [SimulatedHost]) {
    origins = Dictionary(
      uniqueKeysWithValues: hosts.flatMap { host in
        host.addresses.map { (IPPrefix(host: $0), host.number) }
      })
  }

  mutating func originLeft(_ host: Int) {
    lost.insert(host)
    metrics = metrics.filter { origins[$0.key.prefix] != host && $0.key.host != host }
  }

  mutating func originReturned(_ host: Int) {
    lost.remove(host)
  }

  mutating func note(_ change: TableChange, at host: Int) {
    guard case .route(let row) = change.row, change.kind != .flush, row.state == .selected,
      row.source == nil, let origin = origins[row.prefix], lost.contains(origin)
    else { return }
    let way = Way(host: host, prefix: row.prefix)
    var metric = metrics[way] ?? Metric(last: row.metric)
    if row.metric > metric.last, row.metric - metric.last >= Self.notable { metric.rises += 1 }
    metric.last = row.metric
    metrics[way] = metric
    most = max(most, metric.rises)
    guard metric.rises > Self.limit else { return }
    violations.append("\(host) counts to infinity for \(row.prefix) of \(origin): \(row.metric)")
  }
}
