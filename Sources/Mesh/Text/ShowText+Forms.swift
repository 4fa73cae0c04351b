internal import Net
internal import Noise

extension ShowText {
  /// The form of `wg showconf`: what is set at this moment, endpoints as learned, secrets included.
  public static func showconf(_ status: Status) -> String {
    var text = "[Interface]\n"
    if status.listenPort != 0 { text += "ListenPort = \(status.listenPort)\n" }
    if status.firewallMark != 0 { text += "FwMark = 0x\(String(status.firewallMark, radix: 16))\n" }
    if let key = status.privateKey { text += "PrivateKey = \(key.base64)\n" }
    for peer in status.peers {
      text += "\n[Peer]\nPublicKey = \(peer.publicKey.base64)\n"
      if let key = peer.presharedKey { text += "PresharedKey = \(key.base64)\n" }
      if !peer.allowedIPs.isEmpty {
        text += "AllowedIPs = \(peer.allowedIPs.map(\.description).joined(separator: ", "))\n"
      }
      if let endpoint = peer.endpoint { text += "Endpoint = \(endpoint)\n" }
      if peer.persistentKeepalive != 0 { text += "PersistentKeepalive = \(peer.persistentKeepalive)\n" }
    }
    return status.peers.isEmpty ? text + "\n" : text
  }

  /// Babel's routes, one per line, in babeld's words.
  public static func routes(_ status: Status) -> String {
    let prefixes = status.routes.map(\.prefix.description)
    let width = prefixes.map(\.utf8.count).max() ?? 0
    return zip(status.routes, prefixes).map { route, prefix in
      let padding = String(repeating: " ", count: width - prefix.utf8.count)
      let via = route.via.map(\.base64) ?? "self"
      return
        "\(prefix)\(padding) metric \(route.metric) refmetric \(route.referenceMetric) id \(route.routerID) "
        + "seqno \(route.seqno) via \(via) \(note(on: route))\n"
    }.joined()
  }

  private static func note(on route: Status.Route) -> String {
    switch route.state {
    case .local: "(local)"
    case .selected: "(installed)"
    case .unreachable: "(unreachable)"
    case .alternative: route.isFeasible ? "(feasible)" : "(unfeasible)"
    }
  }
}
