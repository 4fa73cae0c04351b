internal import Babel
internal import Net
internal import Noise

/// The language of babeld's local monitoring socket, version 1.0: `babeld(8)`, "Local Configuration Interface", and
/// babeld's `local.c`.
///
/// Read-only: what would change babeld's configuration is refused.
public enum BabeldProtocol {
  /// What a client may say on one line.
  public enum Command: Sendable, Equatable {
    /// Tell every row once.
    case dump
    /// Tell every row once, then every change.
    case monitor
    /// Tell no more changes.
    case unmonitor
    /// Close the connection.
    case quit
    /// An empty line or a comment.
    case nothing
    /// Anything else.
    case unknown

    /// Reads a line without its newline.
    public init(_ line: some StringProtocol) {
      let words = Substring(line).utf8.split {
        $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == 13
      }
      guard let first = words.first, first.first != UInt8(ascii: "#") else {
        self = .nothing
        return
      }
      switch words.count == 1 ? String(Substring(first)) : "" {
      case "dump": self = .dump
      case "monitor": self = .monitor
      case "unmonitor": self = .unmonitor
      case "quit": self = .quit
      default: self = .unknown
      }
    }
  }

  /// The end of an answer.
  public static let ok = "ok\n"
  /// The answer to what is no command.
  public static let bad = "bad\n"

  /// What a client hears first.
  public static func greeting(version: String, host: String, routerID: String) -> String {
    "BABEL 1.0\nversion \(version)\nhost \(host)\nmy-id \(routerID)\nok\n"
  }

  /// The answer to `dump`, without its `ok`.
  public static func dump(_ rows: [TableRow], interface: String) -> String {
    rows.map { line(TableChange(.add, $0), interface: interface) }.joined()
  }

  /// A change as a line; empty for a held prefix, which babeld keeps as a route without telling.
  public static func line(_ change: TableChange, interface: String) -> String {
    let kind = change.kind.rawValue
    switch change.row {
    case .interface(let row):
      guard row.isUp else { return "\(kind) interface \(interface) up false\n" }
      let ipv6 = row.linkLocal.map { " ipv6 \($0)" } ?? ""
      let ipv4 = row.ipv4.map { " ipv4 \($0)" } ?? ""
      return "\(kind) interface \(interface) up true\(ipv6)\(ipv4)\n"
    case .neighbour(let row):
      let reach = "reach \(row.multicastReach.fourDigits) ureach \(row.unicastReach.fourDigits)"
      return "\(kind) neighbour \(row.monitorID) address \(row.address ?? .any) if \(interface) \(reach) "
        + "rxcost \(row.rxcost) txcost \(row.txcost)\(roundTrip(row)) cost \(row.cost)\n"
    case .xroute(let row):
      let source = row.source ?? anywhere(row.prefix)
      return
        "\(kind) xroute \(row.prefix)-\(source) prefix \(row.prefix) from \(source) metric \(row.metric)\n"
    case .route(let row):
      guard let via = row.via, let routerID = row.routerID else { return "" }
      return "\(kind) route \(row.monitorID) prefix \(row.prefix) from \(row.source ?? anywhere(row.prefix)) "
        + "installed \(row.verdict == .selected ? "yes" : "no") id \(routerID) metric \(row.metric) "
        + "refmetric \(row.referenceMetric) via \(via.address ?? .any) if \(interface)\n"
    }
  }

  /// The source prefix of a route for packets from anywhere.
  private static func anywhere(_ prefix: IPPrefix) -> IPPrefix {
    prefix.family == .v4 ? .defaultIPv4 : .defaultIPv6
  }

  private static func roundTrip(_ row: NeighbourRow) -> String {
    row.roundTrip.map { " rtt \($0.milliseconds) rttcost \(row.roundTripCost)" } ?? ""
  }
}

// babeld tells rows apart by their addresses in memory; here they are numbers that stay the same between dumps.
extension NeighbourRow {
  fileprivate var monitorID: String { String(number + 1, radix: 16) }
}

extension RouteRow {
  /// FNV-1a over destination and neighbour: of a million routes two have the same in one of 37 million cases.
  fileprivate var monitorID: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ word: UInt64) {
      for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
        hash = (hash ^ (word >> shift & 0xFF)) &* 0x100_0000_01B3
      }
    }
    func mix(_ prefix: IPPrefix) {
      switch prefix.address {
      case .v4(let address): mix(UInt64(address.bits))
      case .v6(let address):
        mix(address.high)
        mix(address.low)
      }
      mix(UInt64(prefix.length))
    }
    mix(prefix)
    if let source { mix(source) }
    mix(UInt64(via?.number ?? .max))
    return String(hash, radix: 16)
  }
}
