internal import Babel
internal import Net
internal import Noise

/// Babel's tables as JSON, for programs.
///
/// Names stay what they are from release to release; what is not there is `null`. `docs/monitoring.md` lists them.
public enum RoutingJSON {
  /// An array with one object per neighbour.
  public static func neighbours(_ rows: [NeighbourRow]) -> String {
    JSON.array(rows.map { .object(members(of: $0)) }).text
  }

  /// One object.
  public static func explanation(_ explanation: Explanation) -> String {
    var target: PublicKey?
    if case .peer(let key) = explanation.target { target = key }
    return JSON.object([
      ("address", .string(explanation.address.description)),
      ("prefix", JSON(explanation.prefix)),
      ("source", JSON(explanation.source)),
      ("target", .string(explanation.target.name)),
      ("peer", JSON(target?.base64)),
      ("endpoint", JSON(explanation.peers.first { $0.publicKey == target }?.endpoint)),
      ("because", .string(explanation.basis.rawValue)),
      ("hold", explanation.hold.map(json(of:)) ?? .null),
      ("routes", .array(explanation.routes.map { .object(members(of: $0)) })),
      ("peers", .array(explanation.peers.map { json(of: $0, at: explanation.time) })),
      (
        "switches",
        .array(
          explanation.switches.map { record in
            .object([("age", .seconds(record.time.duration(to: explanation.time)))] + members(of: record))
          })
      ),
    ]).text
  }

  static func members(of row: TableRow) -> [JSON.Member] {
    switch row {
    case .interface(let row): members(of: row)
    case .neighbour(let row): members(of: row)
    case .xroute(let row): members(of: row)
    case .route(let row): members(of: row)
    }
  }

  static func members(of row: InterfaceRow) -> [JSON.Member] {
    [("up", .bool(row.isUp)), ("linkLocal", JSON(row.linkLocal)), ("ipv4", JSON(row.ipv4))]
  }

  static func members(of row: NeighbourRow) -> [JSON.Member] {
    var members: [JSON.Member] = [
      ("publicKey", .string(row.publicKey.base64)),
      ("address", JSON(row.address)),
      ("meshd", .bool(row.isMeshd)),
      ("up", .bool(row.isUp)),
      ("reach", .number(Int64(row.multicastReach))),
      ("ureach", .number(Int64(row.unicastReach))),
      ("rxcost", .number(Int64(row.rxcost))),
      ("txcost", .number(Int64(row.txcost))),
      ("rtt", row.roundTrip.map { .seconds($0) } ?? .null),
      ("rttcost", .number(Int64(row.roundTripCost))),
      ("cost", .number(Int64(row.cost))),
    ]
    if let activity = row.activity {
      members.append(("routes", .number(Int64(activity.routeCount))))
      members.append(("heard", activity.silence.map { .seconds($0) } ?? .null))
    }
    return members
  }

  static func members(of row: XrouteRow) -> [JSON.Member] {
    [
      ("prefix", .string(row.prefix.description)), ("source", JSON(row.source)),
      ("metric", .number(Int64(row.metric))),
    ]
  }

  static func members(of row: RouteRow) -> [JSON.Member] {
    [
      ("prefix", .string(row.prefix.description)),
      ("source", JSON(row.source)),
      ("state", .string(row.state.rawValue)),
      ("via", JSON(row.via?.publicKey.base64)),
      ("address", JSON(row.via?.address)),
      ("metric", .number(Int64(row.metric))),
      ("referenceMetric", .number(Int64(row.referenceMetric))),
      ("feasible", .bool(row.isFeasible)),
      ("routerID", JSON(row.routerID)),
      ("seqno", .number(Int64(row.seqno))),
      ("verdict", json(of: row.verdict)),
    ]
  }

  static func members(of record: SwitchRecord) -> [JSON.Member] {
    [
      ("prefix", .string(record.prefix.description)),
      ("source", JSON(record.source)),
      ("from", JSON(record.former?.base64)),
      ("fromMetric", .number(Int64(record.formerMetric))),
      ("to", JSON(record.current?.base64)),
      ("toMetric", .number(Int64(record.metric))),
      ("reason", .string(record.reason.text)),
    ]
  }

  private static func json(of verdict: RouteVerdict) -> JSON {
    let name: String
    var members: [JSON.Member] = []
    switch verdict {
    case .selected: name = "selected"
    case .local: name = "local"
    case .held: name = "held"
    case .linkDown: name = "link down"
    case .unfeasible(let seqno, let distance):
      name = "unfeasible"
      members = [
        ("distanceSeqno", .number(Int64(seqno.rawValue))), ("distance", .number(Int64(distance.rawValue))),
      ]
    case .worse(let difference):
      name = "worse"
      members = [("by", .number(Int64(difference.rawValue)))]
    case .unproven(let smoothed, let bound):
      name = "unproven"
      members = [
        ("smoothedMetric", .number(Int64(smoothed.rawValue))),
        ("mustBeBelow", .number(Int64(bound.rawValue))),
      ]
    case .unseen: name = "unseen"
    }
    return .object([("name", .string(name))] + members)
  }

  private static func json(of hold: Explanation.Hold) -> JSON {
    .object([
      ("waiting", .array(hold.waiting.map { .string($0.base64) })), ("remaining", .seconds(hold.remaining)),
    ])
  }

  private static func json(of peer: Explanation.Peer, at time: Instant) -> JSON {
    .object([
      ("publicKey", .string(peer.publicKey.base64)),
      ("endpoint", JSON(peer.endpoint)),
      ("session", .bool(peer.hasSession)),
      ("babel", .bool(peer.speaksBabel)),
      ("announces", .bool(peer.isAnnouncing)),
      ("filtered", .bool(peer.isFiltered)),
      ("accepted", .bool(peer.refusal == nil)),
      ("refusal", JSON(peer.refusal?.rawValue)),
      ("endpointSwitches", .array(peer.pathSwitches.map { json(of: $0, at: time) })),
    ])
  }

  private static func json(of record: PathSwitch, at time: Instant) -> JSON {
    .object([
      ("ago", .seconds(record.time.duration(to: time))),
      ("from", JSON(record.former)),
      ("to", .string(record.current.description)),
      ("reason", .string(record.reason.rawValue)),
    ])
  }
}

extension Explanation.Target {
  fileprivate var name: String {
    switch self {
    case .none: "none"
    case .local: "local"
    case .peer: "peer"
    case .unreachable: "unreachable"
    }
  }
}
