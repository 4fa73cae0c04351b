public import Net
public import Noise

/// One line of a UAPI `set`.
///
/// A request is a list of these, and their order means something.
///
/// Source: https://www.wireguard.com/xplatform/#configuration-protocol, and `decisions.md` 3 for the lines
/// marked meshd's.
public enum UAPIChange: Sendable {
  /// The interface's private key; `nil` unsets it.
  case privateKey(PrivateKey?)
  /// The UDP port; 0 lets the kernel choose.
  case listenPort(UInt16)
  /// The mark on our UDP packets; 0 is none.
  case firewallMark(UInt32)
  /// Removes every peer there was before the request.
  case replacePeers
  /// The lines that follow are about this peer, which comes into being if need be.
  case peer(PublicKey)
  /// A peer that did not exist before is not made.
  case updateOnly
  /// Removes the peer; the lines about it that follow do nothing.
  case remove
  /// The preshared key; `nil` unsets it.
  case presharedKey(PresharedKey?)
  /// The endpoint to be used as long as it works, beside those of the configuration; it takes the place of one that was
  /// given in this way before.
  case endpoint(Configuration.EndpointSource)
  /// Seconds between keepalives; 0 is off.
  case persistentKeepalive(UInt16)
  /// Takes every allowed IP from the peer.
  case replaceAllowedIPs
  /// Gives the prefix to the peer, and takes it from whoever had it.
  case allowedIP(IPPrefix)
  /// Takes the prefix from the peer, if it has it.
  case removeAllowedIP(IPPrefix)
  /// The version of WireGuard the peer speaks, always 1.
  case protocolVersion
  /// meshd's: whether the peer speaks Babel; `nil` follows the interface.
  case babel(Bool?)
  /// meshd's: leaves the choice of the endpoint to measurements again.
  case unpin
  /// meshd's: forgets every configured endpoint.
  case replaceEndpoints
  /// meshd's: one endpoint more, by address or by name.
  case additionalEndpoint(Configuration.EndpointSource)
}

extension UAPIChange {
  /// Reads one line; `inPeer` says whether a `public_key` line came before.
  init(line: Substring, inPeer: Bool, arena: SecretArena) throws(UAPIError) {
    guard let equals = line.firstIndex(of: "=") else {
      throw UAPIError(.protocolError, "the line \(quoted(line)) has no `=`")
    }
    let key = line[..<equals]
    let value = line[line.index(after: equals)...]
    let change =
      if inPeer || key == "public_key" {
        try Self.peerChange(key: key, value: value, arena: arena)
      } else {
        try Self.deviceChange(key: key, value: value)
      }
    guard let change else { throw UAPIError(.invalidArgument, "\(quoted(key)) does not take this value") }
    self = change
  }

  private static func deviceChange(key: Substring, value: Substring) throws(UAPIError) -> UAPIChange? {
    switch key {
    case "private_key": isZeroKey(value) ? .privateKey(nil) : PrivateKey(hex: value).map { .privateKey($0) }
    case "listen_port": UInt16(decimal: value).map { .listenPort($0) }
    case "fwmark": UInt32(decimal: value).map { .firewallMark($0) }
    case "replace_peers": value == "true" ? .replacePeers : nil
    default: throw UAPIError(.invalidArgument, "\(quoted(key)) is not a key of the device")
    }
  }

  private static func peerChange(
    key: Substring, value: Substring, arena: SecretArena
  ) throws(UAPIError) -> UAPIChange? {
    switch key {
    case "public_key": PublicKey(hex: value).map { .peer($0) }
    case "update_only": value == "true" ? .updateOnly : nil
    case "remove": value == "true" ? .remove : nil
    case "preshared_key":
      isZeroKey(value) ? .presharedKey(nil) : PresharedKey(hex: value, in: arena).map { .presharedKey($0) }
    case "endpoint": Configuration.EndpointSource(numeric: value).map { .endpoint($0) }
    case "persistent_keepalive_interval": UInt16(decimal: value).map { .persistentKeepalive($0) }
    case "replace_allowed_ips": value == "true" ? .replaceAllowedIPs : nil
    case "allowed_ip": allowedIP(value)
    case "protocol_version": value == "1" ? .protocolVersion : nil
    case "babel": babel(value)
    case "unpin": value == "true" ? .unpin : nil
    case "replace_endpoints": value == "true" ? .replaceEndpoints : nil
    case "additional_endpoint": Configuration.EndpointSource(value).map { .additionalEndpoint($0) }
    default: throw UAPIError(.invalidArgument, "\(quoted(key)) is not a key of a peer")
    }
  }

  /// All zeros stand for no key.
  ///
  /// Not constant in time: only whether there is a key shows.
  private static func isZeroKey(_ value: Substring) -> Bool {
    value.utf8.count == 64 && value.utf8.allSatisfy { $0 == UInt8(ascii: "0") }
  }

  private static func allowedIP(_ value: Substring) -> UAPIChange? {
    let removes = value.hasPrefix("-")
    let text = removes || value.hasPrefix("+") ? value.dropFirst() : value
    // Unlike in a file, the length must be there.
    guard text.contains("/"), let prefix = IPPrefix(text) else { return nil }
    return removes ? .removeAllowedIP(prefix) : .allowedIP(prefix)
  }

  private static func babel(_ value: Substring) -> UAPIChange? {
    switch value {
    case "on": .babel(true)
    case "off": .babel(false)
    case "inherit": .babel(nil)
    default: nil
    }
  }
}

extension UAPIChange {
  /// The line of the request, without its newline.
  ///
  /// It holds the secret of a key.
  var line: String {
    switch self {
    case .privateKey(let key): "private_key=\(key?.hex ?? Self.zeroKey)"
    case .listenPort(let port): "listen_port=\(port)"
    case .firewallMark(let mark): "fwmark=\(mark)"
    case .replacePeers: "replace_peers=true"
    case .peer(let key): "public_key=\(key.hex)"
    case .updateOnly: "update_only=true"
    case .remove: "remove=true"
    case .presharedKey(let key): "preshared_key=\(key?.hex ?? Self.zeroKey)"
    case .endpoint(let endpoint): "endpoint=\(endpoint)"
    case .persistentKeepalive(let seconds): "persistent_keepalive_interval=\(seconds)"
    case .replaceAllowedIPs: "replace_allowed_ips=true"
    case .allowedIP(let prefix): "allowed_ip=\(prefix)"
    case .removeAllowedIP(let prefix): "allowed_ip=-\(prefix)"
    case .protocolVersion: "protocol_version=1"
    case .babel(let babel): "babel=\(babel.map { $0 ? "on" : "off" } ?? "inherit")"
    case .unpin: "unpin=true"
    case .replaceEndpoints: "replace_endpoints=true"
    case .additionalEndpoint(let endpoint): "additional_endpoint=\(endpoint)"
    }
  }

  /// The 64 digits that stand for no key.
  static let zeroKey = String(repeating: "0", count: 64)
}
