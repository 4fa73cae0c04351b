internal import Babel
internal import Net
internal import Noise

extension RoutingText {
  /// Where packets to an address go and why, what else there would be, and from whom packets with that source may come.
  public static func explanation(_ explanation: Explanation) -> String {
    var text = "\(explanation.address)\n"
    text += "  prefix: \(explanation.prefix.map { destination($0, explanation.source) } ?? "none")\n"
    text += "  goes: \(destination(explanation))\n"
    text += "  because: \(explanation.basis.rawValue)\(hold(explanation.hold))\n"
    text += section("routes", explanation.routes.map(Self.text(of:)))
    text += section("as source", explanation.peers.map { "\($0.publicKey.base64): \(words(for: $0))" })
    let switches = explanation.switches.map { record in
      "\(record.time.duration(to: explanation.time).tenths) s ago: \(Self.text(of: record))"
    }
    return text + section("switches", switches) + section("endpoints", pathSwitches(explanation))
  }

  private static func section(_ title: String, _ lines: [String]) -> String {
    lines.isEmpty ? "" : "\n\(title):\n" + lines.map { "  \($0)\n" }.joined()
  }

  private static func destination(_ explanation: Explanation) -> String {
    switch explanation.target {
    case .none: return "nowhere"
    case .local: return "to this host"
    case .unreachable: return "nowhere: unreachable"
    case .peer(let key):
      let peer = explanation.peers.first { $0.publicKey == key }
      let endpoint = peer?.endpoint.map { "at \($0)" } ?? "without endpoint"
      return "to \(key.base64) \(endpoint)" + (peer?.hasSession == true ? "" : ", no session")
    }
  }

  /// How packets to the peer that they go to came to where they go.
  private static func pathSwitches(_ explanation: Explanation) -> [String] {
    guard case .peer(let key) = explanation.target,
      let peer = explanation.peers.first(where: { $0.publicKey == key })
    else { return [] }
    return peer.pathSwitches.map { record in
      let former = record.former.map { " from \($0)" } ?? ""
      return "\(record.time.duration(to: explanation.time).tenths) s ago:\(former) to \(record.current): "
        + record.reason.rawValue
    }
  }

  private static func hold(_ hold: Explanation.Hold?) -> String {
    guard let hold else { return "" }
    let count = hold.waiting.count
    return
      " for \(hold.remaining.tenths) s more, or until \(count) neighbour\(count == 1 ? "" : "s") acknowledge"
  }

  private static func words(for peer: Explanation.Peer) -> String {
    var words = peer.refusal.map { "dropped, \($0.rawValue)" } ?? "accepted"
    if peer.isAnnouncing { words += "; announces the prefix" }
    if peer.isFiltered { words += "; may not announce the prefix" }
    if !peer.speaksBabel { words += "; does not speak Babel" }
    return words
  }

  /// A switch, without its time and prefix.
  static func text(of record: SwitchRecord) -> String {
    let former = record.former.map { "\($0.base64) metric \(record.formerMetric)" } ?? "none"
    let current = record.current.map { "\($0.base64) metric \(record.metric)" } ?? "none"
    return "from \(former) to \(current): \(record.reason.text)"
  }
}
