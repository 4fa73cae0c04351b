internal import Babel
internal import Net
internal import Noise

/// Babel's tables as people read them: a line for each row, in babeld's words.
public enum RoutingText {
  /// The neighbours.
  public static func neighbours(_ rows: [NeighbourRow]) -> String {
    rows.map { text(of: $0) + "\n" }.joined()
  }

  /// A row about a destination, its prefix in a column of `width`.
  static func line(_ row: TableRow, width: Int) -> String {
    let (first, rest) =
      switch row {
      case .route(let row): (destination(row.prefix, row.source), text(of: row))
      case .xroute(let row): (destination(row.prefix, row.source), "metric \(row.metric)")
      case .interface, .neighbour: ("", "")
      }
    return "\(first)\(String(repeating: " ", count: max(width - first.utf8.count, 0))) \(rest)\n"
  }

  /// A prefix, and where packets must come from if that matters.
  static func destination(_ prefix: IPPrefix, _ source: IPPrefix?) -> String {
    source.map { "\(prefix) from \($0)" } ?? "\(prefix)"
  }

  /// A neighbour on one line, without a newline.
  static func text(of row: NeighbourRow) -> String {
    var text = "\(row.publicKey.base64) address \(row.address.map(\.description) ?? "unknown") "
    text += "reach \(row.multicastReach.fourDigits) ureach \(row.unicastReach.fourDigits) "
    text += "rxcost \(row.rxcost) txcost \(row.txcost) "
    if let roundTrip = row.roundTrip { text += "rtt \(roundTrip.milliseconds) rttcost \(row.roundTripCost) " }
    text += "cost \(row.cost)"
    if let activity = row.activity {
      text += " routes \(activity.routeCount)"
      if let silence = activity.silence { text += " heard \(silence.tenths) s ago" }
    }
    if row.isMeshd { text += " (meshd)" }
    return text + (row.isUp ? "" : " (no session)")
  }

  /// A route on one line, without its prefix and a newline.
  static func text(of row: RouteRow) -> String {
    guard let via = row.via else { return "(\(words(for: row.verdict)))" }
    return
      "metric \(row.metric) refmetric \(row.referenceMetric) id \(row.routerID.map(\.description) ?? "-") "
      + "seqno \(row.seqno) via \(via.publicKey.base64) (\(words(for: row.verdict)))"
  }

  /// What became of a route, in a few words.
  static func words(for verdict: RouteVerdict) -> String {
    switch verdict {
    case .selected: "installed"
    case .local: "local"
    case .held: "unreachable, held"
    case .linkDown: "link down"
    case .unfeasible(let seqno, let distance):
      "unfeasible: needs a metric below \(distance) at seqno \(seqno), or a newer seqno"
    case .worse(let difference):
      difference == .zero ? "as good as the route in use" : "worse by \(difference)"
    case .unproven(let smoothed, let bound):
      "better, but not for long enough: smoothed metric \(smoothed) is not yet below \(bound)"
    case .unseen: "usable since a moment ago"
    }
  }
}

extension UInt16 {
  /// Four hexadecimal digits.
  var fourDigits: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}

extension Duration {
  /// Milliseconds with three digits after the point, as babeld prints round-trip times.
  var milliseconds: String {
    let (seconds, attoseconds) = max(self, .zero).components
    let microseconds = attoseconds / 1_000_000_000_000
    let digits = String(microseconds % 1000)
    return "\(seconds * 1000 + microseconds / 1000)." + String(repeating: "0", count: 3 - digits.utf8.count)
      + digits
  }

  /// Seconds with one digit after the point, cut off there.
  var tenths: String {
    let (seconds, attoseconds) = max(self, .zero).components
    return "\(seconds).\(attoseconds / 100_000_000_000_000_000)"
  }
}
