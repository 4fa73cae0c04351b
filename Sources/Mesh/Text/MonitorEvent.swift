internal import Babel
internal import Net
internal import Noise

/// What `meshd monitor` tells: one line for each.
public enum MonitorEvent: Sendable {
  /// Monitoring has begun.
  case started
  /// A row of Babel's tables, or the interface, has changed.
  case table(TableChange)
  /// Something else an operator may want to know.
  case node(NodeEvent)
}

extension MonitorEvent {
  /// The event for people, with a newline; `time` is wall-clock nanoseconds since 1970.
  public func text(at time: Int64) -> String {
    "\(UTC(nanoseconds: time)) \(words)\n"
  }

  private var words: String {
    switch self {
    case .started: "monitoring"
    case .table(let change): "\(change.kind.rawValue) \(Self.words(for: change.row))"
    case .node(let event): event.words
    }
  }

  private static func words(for row: TableRow) -> String {
    switch row {
    case .interface(let row):
      "interface \(row.isUp ? "up" : "down")" + (row.linkLocal.map { " ipv6 \($0)" } ?? "")
        + (row.ipv4.map { " ipv4 \($0)" } ?? "")
    case .neighbour(let row): "neighbour \(RoutingText.text(of: row))"
    case .xroute(let row): "xroute \(RoutingText.destination(row.prefix, row.source)) metric \(row.metric)"
    case .route(let row):
      "route \(RoutingText.destination(row.prefix, row.source)) \(RoutingText.text(of: row))"
    }
  }

  /// The event for programs: one JSON object and a newline.
  public func json(at time: Int64) -> String {
    let head: [JSON.Member] = [("time", .string("\(UTC(nanoseconds: time))")), ("event", .string(name))]
    return JSON.object(head + members).line
  }

  private var name: String {
    switch self {
    case .started: "monitoring"
    case .table(let change):
      switch change.row {
      case .interface: "interface"
      case .neighbour: "neighbour"
      case .xroute: "xroute"
      case .route: "route"
      }
    case .node(let event): event.name
    }
  }

  private var members: [JSON.Member] {
    switch self {
    case .started: return []
    case .node(let event): return event.members
    case .table(let change):
      return [("change", .string(change.kind.rawValue))] + RoutingJSON.members(of: change.row)
    }
  }
}

extension NodeEvent {
  fileprivate var name: String {
    switch self {
    case .sessionEstablished: "session"
    case .handshakeGaveUp: "gave up"
    case .endpointChanged: "endpoint"
    case .handshakeRefused: "refused"
    case .neighbourChanged(_, let isUp): isUp ? "neighbour up" : "neighbour down"
    case .routeSwitched: "switch"
    case .prefixLimitReached: "limit"
    case .addressCollision: "collision"
    }
  }

  fileprivate var words: String {
    switch self {
    case .sessionEstablished(let key, let endpoint):
      "session \(key.base64) endpoint \(endpoint.map(\.description) ?? "unknown")"
    case .handshakeGaveUp(let key): "gave up \(key.base64): no answer to 20 handshake initiations"
    case .endpointChanged(let key, let endpoint, let reason):
      "endpoint \(key.base64) \(endpoint) (\(reason.rawValue))"
    case .handshakeRefused(let endpoint, let reason): "refused handshake from \(endpoint): \(reason)"
    case .neighbourChanged(let key, _): "\(name) \(key.base64)"
    case .routeSwitched(let record):
      "switch \(RoutingText.destination(record.prefix, record.source)) \(RoutingText.text(of: record))"
    case .prefixLimitReached(let key): "limit \(key.base64): more prefixes announced than MaxPrefixes allows"
    case .addressCollision(let key, let other): "collision \(key.base64) with \(other.base64)"
    }
  }

  fileprivate var members: [JSON.Member] {
    switch self {
    case .sessionEstablished(let key, let endpoint):
      [("publicKey", .string(key.base64)), ("endpoint", JSON(endpoint))]
    case .handshakeGaveUp(let key), .neighbourChanged(let key, _), .prefixLimitReached(let key):
      [("publicKey", .string(key.base64))]
    case .endpointChanged(let key, let endpoint, let reason):
      [
        ("publicKey", .string(key.base64)), ("endpoint", .string(endpoint.description)),
        ("reason", .string(reason.rawValue)),
      ]
    case .handshakeRefused(let endpoint, let reason):
      [("endpoint", .string(endpoint.description)), ("reason", .string(reason))]
    case .routeSwitched(let record): RoutingJSON.members(of: record)
    case .addressCollision(let key, let other):
      [("publicKey", .string(key.base64)), ("other", .string(other.base64))]
    }
  }
}
