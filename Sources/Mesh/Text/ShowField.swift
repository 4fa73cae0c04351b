internal import Net
internal import Noise

/// What `wg show INTERFACE FIELD` prints for scripts, one line per item and tabs between columns.
public enum ShowField: String, CaseIterable, Sendable {
  /// Our public key.
  case publicKey = "public-key"
  /// Our private key.
  case privateKey = "private-key"
  /// The UDP port.
  case listenPort = "listen-port"
  /// The mark on our UDP packets.
  case firewallMark = "fwmark"
  /// The keys of the peers.
  case peers
  /// Each peer's preshared key.
  case presharedKeys = "preshared-keys"
  /// Each peer's endpoint.
  case endpoints
  /// Each peer's prefixes.
  case allowedIPs = "allowed-ips"
  /// Each peer's last handshake, seconds since 1970.
  case latestHandshakes = "latest-handshakes"
  /// Octets received from and sent to each peer.
  case transfer
  /// Each peer's keepalive interval in seconds.
  case persistentKeepalive = "persistent-keepalive"
  /// Everything.
  case dump
}

extension ShowField {
  /// The lines for `status`, byte for byte as `wg` prints them.
  ///
  /// With `interfaceName` each line begins with the interface's name, as under `wg show all FIELD`.
  public func text(of status: Status, withInterfaceName: Bool) -> String {
    let prefix = withInterfaceName ? "\(status.interfaceName)\t" : ""
    return rows(of: status).map { prefix + $0.joined(separator: "\t") + "\n" }.joined()
  }

  private func rows(of status: Status) -> [[String]] {
    switch self {
    case .publicKey: [[Self.publicKey(of: status)]]
    case .privateKey: [[Self.privateKey(of: status)]]
    case .listenPort: [["\(status.listenPort)"]]
    case .firewallMark: [[Self.firewallMark(of: status)]]
    case .peers: status.peers.map { [$0.publicKey.base64] }
    case .presharedKeys: status.peers.map { [$0.publicKey.base64, Self.presharedKey(of: $0)] }
    case .endpoints: status.peers.map { [$0.publicKey.base64, Self.endpoint(of: $0)] }
    case .allowedIPs: status.peers.map { [$0.publicKey.base64, Self.allowedIPs(of: $0, separator: " ")] }
    case .latestHandshakes: status.peers.map { [$0.publicKey.base64, "\($0.lastHandshakeSeconds)"] }
    case .transfer: status.peers.map { [$0.publicKey.base64, "\($0.receivedBytes)", "\($0.sentBytes)"] }
    case .persistentKeepalive: status.peers.map { [$0.publicKey.base64, Self.keepalive(of: $0)] }
    case .dump: [Self.dumpRow(of: status)] + status.peers.map(Self.dumpRow(of:))
    }
  }

  private static func dumpRow(of status: Status) -> [String] {
    [privateKey(of: status), publicKey(of: status), "\(status.listenPort)", firewallMark(of: status)]
  }

  private static func dumpRow(of peer: Status.Peer) -> [String] {
    [
      peer.publicKey.base64, presharedKey(of: peer), endpoint(of: peer), allowedIPs(of: peer, separator: ","),
      "\(peer.lastHandshakeSeconds)", "\(peer.receivedBytes)", "\(peer.sentBytes)", keepalive(of: peer),
    ]
  }

  private static func publicKey(of status: Status) -> String {
    status.privateKey?.publicKey.base64 ?? "(none)"
  }

  private static func privateKey(of status: Status) -> String {
    status.privateKey?.base64 ?? "(none)"
  }

  private static func firewallMark(of status: Status) -> String {
    status.firewallMark == 0 ? "off" : "0x" + String(status.firewallMark, radix: 16)
  }

  private static func presharedKey(of peer: Status.Peer) -> String {
    peer.presharedKey?.base64 ?? "(none)"
  }

  private static func endpoint(of peer: Status.Peer) -> String {
    peer.endpoint?.description ?? "(none)"
  }

  private static func allowedIPs(of peer: Status.Peer, separator: String) -> String {
    peer.allowedIPs.isEmpty
      ? "(none)" : peer.allowedIPs.map(\.description).joined(separator: separator)
  }

  private static func keepalive(of peer: Status.Peer) -> String {
    peer.persistentKeepalive == 0 ? "off" : "\(peer.persistentKeepalive)"
  }
}

extension Status.Peer {
  /// Whole seconds since 1970; 0 if there was no handshake.
  var lastHandshakeSeconds: Int64 { (lastHandshake ?? 0) / 1_000_000_000 }
}
