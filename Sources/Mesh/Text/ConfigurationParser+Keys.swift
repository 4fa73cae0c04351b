internal import Net
internal import Noise

extension ConfigurationParser {
  mutating func setInterface(_ key: ConfigurationKey, _ value: Field) throws(ConfigurationError) {
    switch key {
    case .privateKey: interface.privateKey = try privateKey(value)
    case .listenPort: interface.listenPort = try listenPort(value)
    case .firewallMark: interface.firewallMark = try firewallMark(value)
    case .address: interface.host.addresses += try addresses(value)
    case .mtu: interface.host.mtu = try mtu(value)
    case .table: interface.host.table = try table(value)
    case .preUp: interface.host.preUp += hook(value)
    case .postUp: interface.host.postUp += hook(value)
    case .preDown: interface.host.preDown += hook(value)
    case .postDown: interface.host.postDown += hook(value)
    case .babel: interface.babel = try onOff(value)
    case .transit: interface.transit = try transit(value)
    case .exit: interface.exit = try exit(value)
    case .sourceCheck: interface.sourceCheck = try sourceCheck(value)
    case .monitorSocket: interface.monitorSockets = try interface.monitorSockets + monitorSockets(value)
    case .announce: try announce(value)
    case .check: interface.checks.append(try check(value))
    case .filter: interface.filters.append(try filterRule(value))
    case .dns:
      result.dns += value.words.map { String($0.text) }
      warn(at: value, "`DNS` is not acted on; set the resolver in `PostUp` if you need it")
    case .saveConfig:
      result.saveConfig = try trueFalse(value)
      if result.saveConfig == true { warn(at: value, "`SaveConfig` is not acted on; use `meshd save`") }
    case .publicKey, .presharedKey, .allowedIPs, .endpoint, .persistentKeepalive, .accept, .maxPrefixes,
      .babelKey:
      break
    }
  }

  mutating func setPeer(_ key: ConfigurationKey, _ value: Field) throws(ConfigurationError) {
    let last = peers.count - 1
    switch key {
    case .publicKey: peers[last].publicKey = try publicKey(value)
    case .presharedKey: peers[last].presharedKey = .some(try presharedKey(value))
    case .allowedIPs: peers[last].allowedIPs += try prefixes(value)
    case .endpoint: peers[last].endpoints += try endpoints(value)
    case .persistentKeepalive: peers[last].persistentKeepalive = try keepalive(value)
    case .babel: peers[last].babel = try onOff(value)
    case .accept: peers[last].accept = try (peers[last].accept ?? []) + accepted(value)
    case .maxPrefixes: peers[last].maxPrefixes = try maxPrefixes(value)
    case .babelKey: peers[last].babelKeys.append(try babelKey(value))
    case .filter: peers[last].filters.append(try peerFilterRule(value))
    case .privateKey, .listenPort, .firewallMark, .address, .dns, .mtu, .table, .preUp, .postUp, .preDown,
      .postDown, .saveConfig, .announce, .check, .transit, .exit, .sourceCheck, .monitorSocket:
      break
    }
  }
}

// Each value: what `wg` and wg-quick take, read to the end, or an error that says what is taken. Secrets are
// not quoted.
extension ConfigurationParser {
  private func privateKey(_ value: Field) throws(ConfigurationError) -> PrivateKey? {
    if let key = PrivateKey(base64: value.compact) { return key }
    guard isZeroKey(value) else { throw badKey(value, "PrivateKey", source: "meshd genkey") }
    return nil
  }

  private func presharedKey(_ value: Field) throws(ConfigurationError) -> PresharedKey? {
    if let key = PresharedKey(base64: value.compact, in: arena) { return key }
    guard isZeroKey(value) else { throw badKey(value, "PresharedKey", source: "meshd genpsk") }
    return nil
  }

  private func publicKey(_ value: Field) throws(ConfigurationError) -> PublicKey {
    guard let key = PublicKey(base64: value.compact) else {
      throw badKey(value, "PublicKey", source: "meshd pubkey")
    }
    return key
  }

  private func isZeroKey(_ value: Field) -> Bool {
    value.compact == String(repeating: "A", count: 43) + "="
  }

  private func badKey(_ value: Field, _ key: String, source: String) -> ConfigurationError {
    error(
      at: value, "`\(key)` is not a key", "paste the 44 characters that `\(source)` prints, ending in `=`")
  }

  private func babelKey(_ value: Field) throws(ConfigurationError) -> AuthenticationKey {
    let words = value.words
    let spelled = words.first?.text.lowercased()
    guard words.count == 2, let algorithm = spelled.flatMap(AuthenticationKey.Algorithm.init(rawValue:)),
      let key = AuthenticationKey(algorithm, hex: words[1].text, in: arena)
    else {
      throw error(
        at: value, "`BabelKey` is not an algorithm and a key",
        "write `hmac-sha256` and up to 64 octets, or `blake2s128` and up to 32, in hexadecimal digits")
    }
    return key
  }

  private func listenPort(_ value: Field) throws(ConfigurationError) -> UInt16 {
    guard let port = UInt16(decimal: value.compact) else {
      throw error(at: value, "\(quoted(value.text)) is not a UDP port", "write a number from 0 to 65535")
    }
    return port
  }

  private func firewallMark(_ value: Field) throws(ConfigurationError) -> UInt32 {
    let text = value.compact
    if text.lowercased() == "off" { return 0 }
    guard let mark = UInt32(decimalOrHex: text) else {
      throw error(at: value, "\(quoted(value.text)) is not a mark", "write 0 to 0xffffffff, or `off`")
    }
    return mark
  }

  private func keepalive(_ value: Field) throws(ConfigurationError) -> UInt16 {
    let text = value.compact
    if text.lowercased() == "off" { return 0 }
    guard let seconds = UInt16(decimal: text) else {
      throw error(
        at: value, "\(quoted(value.text)) is not a number of seconds", "write 1 to 65535, or `off`")
    }
    return seconds
  }

  private func addresses(_ value: Field) throws(ConfigurationError) -> [Configuration.HostSettings.Address] {
    var addresses: [Configuration.HostSettings.Address] = []
    for word in value.words {
      let parts = word.text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      guard let address = IPAddress(parts[0]),
        let length = parts.count == 1 ? UInt8(address.family.bitWidth) : UInt8(decimal: parts[1]),
        Int(length) <= address.family.bitWidth
      else {
        throw error(
          at: word, "\(quoted(word.text)) is not an address", "write one like 10.0.0.1/24 or fd00::1/64")
      }
      addresses.append(Configuration.HostSettings.Address(address: address, prefixLength: length))
    }
    return addresses
  }

  private func mtu(_ value: Field) throws(ConfigurationError) -> Int? {
    guard !value.text.isEmpty else { return nil }
    guard let mtu = UInt16(decimal: value.text), mtu >= 68 else {
      throw error(at: value, "\(quoted(value.text)) is not an MTU", "write a number from 68 to 65535")
    }
    return Int(mtu)
  }

  private func table(_ value: Field) throws(ConfigurationError) -> Configuration.HostSettings.Table {
    switch value.text.lowercased() {
    case "", "auto": return .auto
    case "off": return .off
    case "default": return .number(253)
    case "main": return .number(254)
    case "local": return .number(255)
    default:
      guard let number = UInt32(decimalOrHex: value.text), number > 0 else {
        throw error(
          at: value, "\(quoted(value.text)) is not a routing table",
          "write `auto`, `off` or the table's number")
      }
      return .number(number)
    }
  }

  private func hook(_ value: Field) -> [String] {
    value.text.isEmpty ? [] : [String(value.text)]
  }

  private func onOff(_ value: Field) throws(ConfigurationError) -> Bool {
    switch value.text.lowercased() {
    case "on": return true
    case "off": return false
    default: throw error(at: value, "\(quoted(value.text)) is neither on nor off", "write `on` or `off`")
    }
  }

  private func trueFalse(_ value: Field) throws(ConfigurationError) -> Bool {
    switch value.text.lowercased() {
    case "true": return true
    case "false": return false
    default:
      throw error(at: value, "\(quoted(value.text)) is neither true nor false", "write `true` or `false`")
    }
  }

  private func transit(_ value: Field) throws(ConfigurationError) -> Configuration.Transit {
    guard let transit = Configuration.Transit(rawValue: value.text.lowercased()) else {
      throw error(
        at: value, "\(quoted(value.text)) is not a way of transit", "write `process`, `kernel` or `off`")
    }
    return transit
  }

  private func exit(_ value: Field) throws(ConfigurationError) -> Configuration.Exit {
    switch value.text.lowercased() {
    case "yes": return .any
    case "no": return .none
    default:
      guard let key = PublicKey(base64: value.compact) else {
        throw error(
          at: value, "\(quoted(value.text)) is not an exit", "write `yes`, `no` or the public key of a node")
      }
      return .peer(key)
    }
  }

  private func maxPrefixes(_ value: Field) throws(ConfigurationError) -> Int {
    guard let count = UInt32(decimal: value.compact) else {
      throw error(at: value, "\(quoted(value.text)) is not a number of prefixes", "write a number like 10000")
    }
    return Int(count)
  }

  private func sourceCheck(_ value: Field) throws(ConfigurationError) -> Configuration.SourceCheck {
    guard let check = Configuration.SourceCheck(rawValue: value.text.lowercased()) else {
      throw error(
        at: value, "\(quoted(value.text)) is not a source check",
        "write `anchored`, `covering`, `strict` or `off`")
    }
    return check
  }

  /// A comma list; `off` is none.
  private func monitorSockets(_ value: Field) throws(ConfigurationError) -> [Configuration.MonitorSocket] {
    if value.text.lowercased() == "off" { return [] }
    var sockets: [Configuration.MonitorSocket] = []
    for entry in value.commaSeparated {
      if entry.text.lowercased() == "on" {
        sockets.append(.standard)
      } else if entry.text.hasPrefix("/") {
        sockets.append(.path(String(entry.text)))
      } else if let port = UInt16(decimal: entry.text), port != 0 {
        sockets.append(.port(port))
      } else {
        throw error(
          at: entry, "\(quoted(entry.text)) is not a place for a socket",
          "write `on`, `off`, an absolute path or a TCP port")
      }
    }
    return sockets
  }

  /// A comma list of prefixes.
  ///
  /// Bits beyond the length are cleared with a warning, as `wg` does.
  private mutating func prefixes(
    _ value: Field
  ) throws(ConfigurationError) -> [(prefix: IPPrefix, field: Field)] {
    var prefixes: [(prefix: IPPrefix, field: Field)] = []
    for entry in value.commaSeparated { prefixes.append((try prefix(entry), entry)) }
    return prefixes
  }

  mutating func prefix(
    _ field: Field, otherwise hint: String = "write one like 10.0.0.0/24 or fd00::/64"
  ) throws(ConfigurationError) -> IPPrefix {
    let text = field.compact
    guard let prefix = IPPrefix(text) else {
      throw error(
        at: field, text.isEmpty ? "a prefix is missing here" : "\(quoted(field.text)) is not a prefix", hint)
    }
    if let address = IPAddress(text.prefix { $0 != "/" }), address != prefix.address {
      warn(at: field, "\(quoted(field.text)) has bits beyond its length; \(prefix) is used")
    }
    return prefix
  }

  private mutating func accepted(_ value: Field) throws(ConfigurationError) -> [IPPrefix] {
    value.text.lowercased() == "none" ? [] : try prefixes(value).map { $0.prefix }
  }

  private func endpoints(_ value: Field) throws(ConfigurationError) -> [Configuration.EndpointSource] {
    var endpoints: [Configuration.EndpointSource] = []
    for entry in value.commaSeparated {
      guard let endpoint = Configuration.EndpointSource(entry.compact) else {
        throw error(
          at: entry,
          entry.text.isEmpty ? "an endpoint is missing here" : "\(quoted(entry.text)) is not an endpoint",
          "write one like 192.0.2.1:51820, [2001:db8::1]:51820 or host.example.org:51820")
      }
      endpoints.append(endpoint)
    }
    return endpoints
  }
}
