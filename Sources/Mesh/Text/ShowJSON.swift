internal import Net
internal import Noise

/// Status as JSON, for programs.
///
/// Secrets are left out unless asked for; what is not there is `null`.
public enum ShowJSON {
  /// An array with one object per interface.
  public static func interfaces(_ statuses: [Status], showsSecrets: Bool = false) -> String {
    JSON.array(statuses.map { interface($0, showsSecrets: showsSecrets) }).text
  }

  /// An array of strings.
  public static func names(_ names: [String]) -> String {
    JSON.array(names.map { .string($0) }).text
  }

  private static func interface(_ status: Status, showsSecrets: Bool) -> JSON {
    var members: [JSON.Member] = [
      ("interface", .string(status.interfaceName)),
      ("publicKey", JSON(status.privateKey?.publicKey.base64)),
    ]
    if showsSecrets { members.append(("privateKey", JSON(status.privateKey?.base64))) }
    members += [
      ("listenPort", .number(Int64(status.listenPort))),
      ("fwmark", .number(Int64(status.firewallMark))),
      ("mtu", .number(Int64(status.mtu))),
      ("babel", .bool(status.babel)),
      ("routerID", JSON(status.routerID.isEmpty ? nil : status.routerID)),
      ("linkLocal", JSON(status.linkLocal)),
      ("lanes", status.lanes > 0 ? .number(Int64(status.lanes)) : .null),
      ("offloads", .object(status.offloadsByPlace.map { ($0.place, json(of: $0.offloads)) })),
      ("peers", .array(status.peers.map { json(of: $0, showsSecrets: showsSecrets) })),
      ("checks", .array(status.checks.map(json(of:)))),
      ("drops", .object(status.drops.map { ($0.reason, .unsigned($0.count)) })),
      (
        "unused",
        .array(
          status.unused.map {
            .object([("prefix", .string($0.prefix.description)), ("reason", .string($0.reason))])
          })
      ),
    ]
    return .object(members)
  }

  private static func json(of peer: Status.Peer, showsSecrets: Bool) -> JSON {
    var members: [JSON.Member] = [("publicKey", .string(peer.publicKey.base64))]
    if showsSecrets { members.append(("presharedKey", JSON(peer.presharedKey?.base64))) }
    members += [
      ("endpoint", JSON(peer.endpoint)),
      ("configuredEndpoints", .array(peer.configuredEndpoints.map { .string($0.description) })),
      ("paths", .array(peer.paths.map(json(of:)))),
      ("allowedIPs", .array(peer.allowedIPs.map { .string($0.description) })),
      ("latestHandshake", peer.lastHandshake.map { .number($0 / 1_000_000_000) } ?? .null),
      ("receivedBytes", .unsigned(peer.receivedBytes)),
      ("sentBytes", .unsigned(peer.sentBytes)),
      ("persistentKeepalive", .number(Int64(peer.persistentKeepalive))),
      ("neighbour", peer.neighbour.map(json(of:)) ?? .null),
    ]
    return .object(members)
  }

  private static func json(of path: Status.Path) -> JSON {
    .object([
      ("endpoint", .string(path.endpoint.description)),
      ("from", JSON(path.source.map(\.description))),
      ("state", .string(path.state.rawValue)),
      ("inUse", .bool(path.isInUse)),
      ("pinned", .bool(path.isPinned)),
      ("roundTripMicroseconds", path.roundTrip.map { .number($0.nanoseconds / 1000) } ?? .null),
      ("lossPerMille", .number(Int64(path.lossPerMille))),
      ("mtu", path.mtu.map { .number(Int64($0)) } ?? .null),
      ("inUseSeconds", path.useTime.map { .number($0.nanoseconds / 1_000_000_000) } ?? .null),
    ])
  }

  private static func json(of offloads: [Status.Offload]) -> JSON {
    .object(offloads.map { ($0.name, .bool($0.isInUse)) })
  }

  private static func json(of neighbour: Status.Neighbour) -> JSON {
    .object([
      ("address", JSON(neighbour.address)),
      ("reach", .number(Int64(neighbour.reach))),
      ("rxcost", .number(Int64(neighbour.rxcost))),
      ("txcost", .number(Int64(neighbour.txcost))),
      ("cost", .number(Int64(neighbour.cost))),
      ("roundTripMicroseconds", neighbour.roundTrip.map { .number($0.nanoseconds / 1000) } ?? .null),
      ("prefixes", .number(Int64(neighbour.prefixes))),
      ("prefixLimit", .number(Int64(neighbour.prefixLimit))),
      ("refusals", .object(neighbour.refusals.map { ($0.reason, .unsigned($0.count)) })),
    ])
  }

  private static func json(of check: Status.Check) -> JSON {
    .object([
      ("prefix", .string(check.prefix.description)),
      ("question", .string(check.question)),
      ("state", .string(check.state.rawValue)),
      ("streak", .number(Int64(check.streak))),
      ("reason", JSON(check.reason)),
    ])
  }
}
