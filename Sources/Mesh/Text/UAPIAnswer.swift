internal import Net
internal import Noise

/// An answer on the UAPI socket as a client reads it: the status it tells, or the error.
///
/// Reads what meshd, wireguard-go and their kind send; keys it does not know are skipped.
public struct UAPIAnswer: Sendable {
  /// What the answer to `get` or `show` says.
  public private(set) var status = Status()
  /// The lines of an answer that is a text.
  public private(set) var textLines: [String] = []

  /// Reads a whole answer, up to its empty line.
  ///
  /// Throws the error it carries, or `protocolError` if it cannot be read.
  public init(_ text: some StringProtocol) throws(UAPIError) {
    guard !text.isEmpty else { throw UAPIError(.protocolError, "its daemon does not know this request") }
    let arena = SecretArena()
    var message = ""
    var code: Int32?
    for line in lines(of: text) {
      guard !line.isEmpty, let equals = line.firstIndex(of: "=") else { break }
      let key = line[..<equals]
      let value = line[line.index(after: equals)...]
      switch key {
      case "errno": code = Int32(value)
      case "message": message = String(value)
      case "line": textLines.append(String(value))
      case "public_key":
        guard let publicKey = PublicKey(hex: value) else { throw Self.unreadable(line) }
        status.peers.append(Status.Peer(publicKey: publicKey))
      default:
        guard read(key, value, arena) else { throw Self.unreadable(line) }
      }
    }
    guard let code else { throw UAPIError(.protocolError, "the answer ends before its `errno`") }
    // wireguard-go and `wg` differ on the sign.
    guard code == 0 else {
      throw UAPIError(UAPIError.Code(rawValue: Int32(clamping: code.magnitude)), message)
    }
  }

  private static func unreadable(_ line: Substring) -> UAPIError {
    UAPIError(.protocolError, "the answer has an unreadable `\(line.prefix { $0 != "=" })`")
  }

  /// Takes one value; `false` if it is not what the key wants.
  private mutating func read(_ key: Substring, _ value: Substring, _ arena: SecretArena) -> Bool {
    if !status.peers.isEmpty {
      return Self.read(key, value, arena, into: &status.peers[status.peers.count - 1])
    }
    switch key {
    case "private_key": status.privateKey = PrivateKey(hex: value)
    case "listen_port": return assign(UInt16(decimal: value), to: &status.listenPort)
    case "fwmark": return assign(UInt32(decimal: value), to: &status.firewallMark)
    case "mtu": return assign(UInt32(decimal: value).map(Int.init), to: &status.mtu)
    case "babel": status.babel = value == "on"
    case "router_id": status.routerID = String(value)
    case "link_local": status.linkLocal = IPv6Address(value)
    case "check":
      guard let check = Status.Check(words: value.split(separator: " ", maxSplits: 5)) else { return false }
      status.checks.append(check)
    case "lanes": return assign(UInt16(decimal: value).map(Int.init), to: &status.lanes)
    case "offload":
      guard let offload = Status.Offload(words: value.split(separator: " ")) else { return false }
      status.offloads.append(offload)
    case "drop":
      guard let drop = Self.count(value) else { return false }
      status.drops.append(drop)
    case "unused":
      guard let unused = Self.unused(value) else { return false }
      status.unused.append(unused)
    default: break
    }
    return true
  }

  /// `PREFIX REASON` or `PREFIX from SOURCE REASON`; no reason begins with "from".
  private static func unused(_ value: Substring) -> (prefix: HostPrefix, reason: String)? {
    var parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, let destination = IPPrefix(parts[0]) else { return nil }
    guard parts[1].hasPrefix("from ") else { return (HostPrefix(destination), String(parts[1])) }
    parts = parts[1].split(separator: " ", maxSplits: 2)
    guard parts.count == 3, let source = IPPrefix(parts[1]) else { return nil }
    return (HostPrefix(destination, from: source), String(parts[2]))
  }

  /// A number of occurrences and of what.
  private static func count(_ value: Substring) -> (reason: String, count: UInt64)? {
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, let count = UInt64(decimal: parts[0]) else { return nil }
    return (String(parts[1]), count)
  }

  private static func read(
    _ key: Substring, _ value: Substring, _ arena: SecretArena, into peer: inout Status.Peer
  ) -> Bool {
    switch key {
    case "preshared_key": peer.presharedKey = PresharedKey(hex: value, in: arena)
    case "endpoint": peer.endpoint = Endpoint(value)
    case "last_handshake_time_sec":
      guard let seconds = UInt32(decimal: value) else { return false }
      peer.lastHandshake = seconds == 0 ? nil : Int64(seconds) * 1_000_000_000
    case "last_handshake_time_nsec":
      guard let nanoseconds = UInt32(decimal: value) else { return false }
      if let whole = peer.lastHandshake { peer.lastHandshake = whole + Int64(nanoseconds) }
    case "rx_bytes": return assign(UInt64(decimal: value), to: &peer.receivedBytes)
    case "tx_bytes": return assign(UInt64(decimal: value), to: &peer.sentBytes)
    case "persistent_keepalive_interval": return assign(UInt16(decimal: value), to: &peer.persistentKeepalive)
    case "allowed_ip":
      guard let prefix = IPPrefix(value) else { return false }
      peer.allowedIPs.append(prefix)
    case "configured_endpoint":
      guard let endpoint = Configuration.EndpointSource(value) else { return false }
      peer.configuredEndpoints.append(endpoint)
    case "path":
      guard let path = Status.Path(words: value.split(separator: " ")) else { return false }
      peer.paths.append(path)
    case "neighbour":
      guard let neighbour = Status.Neighbour(words: value.split(separator: " ")) else { return false }
      peer.neighbour = neighbour
    case "round_trip":
      guard let microseconds = UInt32(decimal: value) else { return false }
      peer.neighbour?.roundTrip = .microseconds(Int64(microseconds))
    case "prefixes":
      let numbers = value.split(separator: " ").compactMap { UInt32(decimal: $0) }
      guard numbers.count == 2 else { return false }
      peer.neighbour?.prefixes = Int(numbers[0])
      peer.neighbour?.prefixLimit = Int(numbers[1])
    case "refused":
      guard let refusal = count(value) else { return false }
      peer.neighbour?.refusals.append(refusal)
    default: break
    }
    return true
  }
}

extension Status.Path {
  /// Endpoint, state, loss, and what else is known; words that are not known are skipped.
  fileprivate init?(words: [Substring]) {
    guard words.count >= 3, let endpoint = Endpoint(words[0]), let state = State(rawValue: String(words[1])),
      let loss = UInt16(decimal: words[2])
    else { return nil }
    self.init(endpoint: endpoint)
    self.state = state
    lossPerMille = Int(loss)
    for word in words.dropFirst(3) {
      let parts = word.split(separator: "=", maxSplits: 1)
      let value = parts.count == 2 ? parts[1] : ""
      switch parts[0] {
      case "in-use": isInUse = true
      case "pinned": isPinned = true
      case "from": source = IPAddress(value)
      case "rtt": roundTrip = UInt32(decimal: value).map { .microseconds(Int64($0)) }
      case "mtu": mtu = UInt16(decimal: value).map { Int($0) }
      case "since": useTime = UInt32(decimal: value).map { .seconds(Int64($0)) }
      default: break
      }
    }
  }
}

extension Status.Neighbour {
  /// Reach, rxcost, txcost, cost, and the address if it is known.
  fileprivate init?(words: [Substring]) {
    let numbers = words.prefix(4).compactMap { UInt16(decimal: $0) }
    guard (4...5).contains(words.count), numbers.count == 4 else { return nil }
    self.init()
    (reach, rxcost, txcost, cost) = (numbers[0], numbers[1], numbers[2], numbers[3])
    address = words.count == 5 ? IPv6Address(words[4]) : nil
  }
}

extension Status.Check {
  /// Prefix, state, streak, two words of question, and the reason if there is one.
  fileprivate init?(words: [Substring]) {
    guard words.count >= 5, let prefix = IPPrefix(words[0]),
      let state = HealthCheck.State(rawValue: String(words[1])), let streak = UInt16(decimal: words[2])
    else { return nil }
    self.init(
      prefix: prefix, question: "\(words[3]) \(words[4])", state: state, streak: Int(streak),
      reason: words.count > 5 ? String(words[5]) : nil)
  }
}

extension Status.Offload {
  /// Place, name, and `on` or `off`.
  fileprivate init?(words: [Substring]) {
    guard words.count == 3, words[2] == "on" || words[2] == "off" else { return nil }
    self.init(place: String(words[0]), name: String(words[1]), isInUse: words[2] == "on")
  }
}

/// Stores `value` unless it is `nil`; whether it did.
private func assign<Value>(_ value: Value?, to target: inout Value) -> Bool {
  guard let value else { return false }
  target = value
  return true
}
