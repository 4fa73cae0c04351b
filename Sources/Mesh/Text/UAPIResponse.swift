internal import Net
internal import Noise

/// The answers to UAPI requests, as text.
///
/// A `get` has wireguard-go's lines in wireguard-go's order. `show` adds lines that stock readers skip.
public enum UAPIResponse {
  /// What `get=1` is answered with.
  public static func get(_ status: Status) -> String {
    text(of: status, extended: false) + success
  }

  /// What `command=show` is answered with.
  public static func show(_ status: Status) -> String {
    text(of: status, extended: true) + success
  }

  /// What `command=configuration` is answered with: the lines of the file, each behind `line=`.
  public static func configuration(_ configuration: Configuration) -> String {
    text(ConfigurationFile(configuration).text) + success
  }

  /// Text to be shown as it is: its lines, each behind `line=`; `success` is to follow.
  public static func text(_ text: String) -> String { lines(of: text) }

  /// Whole lines of such a text; `text("")` is to follow the last ones.
  public static func page(_ page: String) -> String { page.isEmpty ? "" : lines(of: page.dropLast()) }

  private static func lines(of text: some StringProtocol) -> String {
    var framed = ""
    for line in Substring(text).utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      framed += "line="
      framed += Substring(line)
      framed += "\n"
    }
    return framed
  }

  /// One line of text that ends with a newline.
  public static func line(_ line: String) -> String { "line=\(line)" }

  /// The end of every answer that is not an error.
  public static let success = "errno=0\n\n"

  /// The answer to a request that failed.
  ///
  /// Like wireguard-go's, its number is negative: `wg` expects that.
  ///
  /// Only meshd's own commands take `message`; stock tools expect `errno` at the start of a failed `set`.
  public static func failure(_ error: UAPIError, withMessage: Bool) -> String {
    let message =
      withMessage
      ? "message=\(error.message.split(whereSeparator: \.isNewline).joined(separator: " "))\n" : ""
    return "\(message)errno=\(-error.code.rawValue)\n\n"
  }
}

extension UAPIResponse {
  private static func text(of status: Status, extended: Bool) -> String {
    var text = ""
    if let key = status.privateKey { text += "private_key=\(key.hex)\n" }
    if status.listenPort != 0 { text += "listen_port=\(status.listenPort)\n" }
    if status.firewallMark != 0 { text += "fwmark=\(status.firewallMark)\n" }
    if extended {
      text += "mtu=\(status.mtu)\nbabel=\(status.babel ? "on" : "off")\n"
      if !status.routerID.isEmpty { text += "router_id=\(status.routerID)\n" }
      if let address = status.linkLocal { text += "link_local=\(address)\n" }
      for check in status.checks { text += "check=\(Self.text(of: check))\n" }
      if status.lanes > 0 { text += "lanes=\(status.lanes)\n" }
      for offload in status.offloads {
        text += "offload=\(offload.place) \(offload.name) \(offload.isInUse ? "on" : "off")\n"
      }
      for drop in status.drops { text += "drop=\(drop.count) \(drop.reason)\n" }
      for unused in status.unused { text += "unused=\(unused.prefix) \(unused.reason)\n" }
    }
    for peer in status.peers {
      append(peer, to: &text)
      if extended { appendExtension(peer, to: &text) }
    }
    return text
  }

  /// `PREFIX STATE STREAK KIND TARGET [REASON…]`.
  private static func text(of check: Status.Check) -> String {
    "\(check.prefix) \(check.state.rawValue) \(check.streak) \(check.question)"
      + (check.reason.map { " \($0)" } ?? "")
  }

  private static func append(_ peer: Status.Peer, to text: inout String) {
    let (seconds, nanoseconds) = max(peer.lastHandshake ?? 0, 0).quotientAndRemainder(
      dividingBy: 1_000_000_000)
    text += "public_key=\(peer.publicKey.hex)\n"
    text += "preshared_key=\(peer.presharedKey?.hex ?? UAPIChange.zeroKey)\n"
    text += "protocol_version=1\n"
    if let endpoint = peer.endpoint { text += "endpoint=\(endpoint)\n" }
    text += "last_handshake_time_sec=\(seconds)\n"
    text += "last_handshake_time_nsec=\(nanoseconds)\n"
    text += "tx_bytes=\(peer.sentBytes)\n"
    text += "rx_bytes=\(peer.receivedBytes)\n"
    text += "persistent_keepalive_interval=\(peer.persistentKeepalive)\n"
    for prefix in peer.allowedIPs { text += "allowed_ip=\(prefix)\n" }
  }

  /// `ENDPOINT STATE LOSS [from=ADDRESS] [in-use] [pinned] [rtt=MICROSECONDS] [mtu=OCTETS] [since=SECONDS]`, loss in
  /// thousandths, times back from now.
  private static func text(of path: Status.Path) -> String {
    var words = ["\(path.endpoint)", path.state.rawValue, "\(path.lossPerMille)"]
    if let source = path.source { words.append("from=\(source)") }
    if path.isInUse { words.append("in-use") }
    if path.isPinned { words.append("pinned") }
    if let roundTrip = path.roundTrip { words.append("rtt=\(roundTrip.nanoseconds / 1000)") }
    if let mtu = path.mtu { words.append("mtu=\(mtu)") }
    if let time = path.useTime { words.append("since=\(time.nanoseconds / 1_000_000_000)") }
    return words.joined(separator: " ")
  }

  private static func appendExtension(_ peer: Status.Peer, to text: inout String) {
    for endpoint in peer.configuredEndpoints { text += "configured_endpoint=\(endpoint)\n" }
    for path in peer.paths { text += "path=\(Self.text(of: path))\n" }
    guard let neighbour = peer.neighbour else { return }
    let address = neighbour.address.map { " \($0)" } ?? ""
    text +=
      "neighbour=\(neighbour.reach) \(neighbour.rxcost) \(neighbour.txcost) \(neighbour.cost)\(address)\n"
    if let roundTrip = neighbour.roundTrip { text += "round_trip=\(roundTrip.nanoseconds / 1000)\n" }
    text += "prefixes=\(neighbour.prefixes) \(neighbour.prefixLimit)\n"
    for refusal in neighbour.refusals { text += "refused=\(refusal.count) \(refusal.reason)\n" }
  }
}
