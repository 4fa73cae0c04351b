internal import Babel
internal import Net
internal import Noise

extension ConfigurationFile {
  /// The file's text, with its secrets: what is configured and nothing else, meshd's keys behind `#meshd:`,
  /// so that stock tools read it too.
  public var text: String {
    var sections = [interfaceText]
    for peer in configuration.peers { sections.append(Self.text(of: peer)) }
    return sections.joined(separator: "\n")
  }

  private var interfaceText: String {
    let interface = configuration.interface
    let host = interface.host
    var text = "[Interface]\n"
    if let key = interface.privateKey { text += "PrivateKey = \(key.base64)\n" }
    if interface.listenPort != 0 { text += "ListenPort = \(interface.listenPort)\n" }
    if interface.firewallMark != 0 { text += "FwMark = 0x\(String(interface.firewallMark, radix: 16))\n" }
    for address in host.addresses { text += "Address = \(address.address)/\(address.prefixLength)\n" }
    for server in dns { text += "DNS = \(server)\n" }
    if let mtu = host.mtu { text += "MTU = \(mtu)\n" }
    switch host.table {
    case .auto: break
    case .off: text += "Table = off\n"
    case .number(let number): text += "Table = \(number)\n"
    }
    if let saveConfig { text += "SaveConfig = \(saveConfig)\n" }
    for (key, commands) in [
      ("PreUp", host.preUp), ("PostUp", host.postUp), ("PreDown", host.preDown), ("PostDown", host.postDown),
    ] {
      for command in commands { text += "\(key) = \(command)\n" }
    }
    if interface.babel { text += "#meshd: Babel = on\n" }
    if interface.transit != .process { text += "#meshd: Transit = \(interface.transit.rawValue)\n" }
    switch interface.exit {
    case .none: break
    case .any: text += "#meshd: Exit = yes\n"
    case .peer(let key): text += "#meshd: Exit = \(key.base64)\n"
    }
    if interface.adjacencies != 16 {
      text += "#meshd: Adjacencies = \(interface.adjacencies.map(String.init) ?? "all")\n"
    }
    if interface.sourceCheck != .anchored { text += "#meshd: RPF = \(interface.sourceCheck.rawValue)\n" }
    for socket in interface.monitorSockets { text += "#meshd: MonitorSocket = \(socket)\n" }
    for announcement in interface.announce { text += "#meshd: Announce = \(announcement)\n" }
    for origin in interface.redistribute {
      text += "#meshd: Announce = \(origin == .kernel ? "connected" : "kernel \(origin)")\n"
    }
    for rule in interface.filters { text += "#meshd: Filter = \(rule)\n" }
    for check in interface.checks { text += "#meshd: Check = \(check)\n" }
    return text
  }

  private static func text(of peer: Configuration.Peer) -> String {
    var text = "[Peer]\nPublicKey = \(peer.publicKey.base64)\n"
    if let key = peer.presharedKey { text += "PresharedKey = \(key.base64)\n" }
    if !peer.allowedIPs.isEmpty {
      text += "AllowedIPs = \(peer.allowedIPs.map(\.description).joined(separator: ", "))\n"
    }
    for endpoint in peer.allEndpoints { text += "Endpoint = \(endpoint)\n" }
    if peer.persistentKeepalive != 0 { text += "PersistentKeepalive = \(peer.persistentKeepalive)\n" }
    if let babel = peer.babel { text += "#meshd: Babel = \(babel ? "on" : "off")\n" }
    for key in peer.babelKeys { text += "#meshd: BabelKey = \(key.algorithm.rawValue) \(key.hex)\n" }
    if let accept = peer.accept {
      if accept.isEmpty { text += "#meshd: Accept = none\n" }
      for prefix in accept { text += "#meshd: Accept = \(prefix)\n" }
    }
    if let maxPrefixes = peer.maxPrefixes { text += "#meshd: MaxPrefixes = \(maxPrefixes)\n" }
    for rule in peer.filters { text += "#meshd: Filter = \(rule)\n" }
    return text
  }
}

extension ConfigurationFile {
  /// The lines of a file that stock `wg setconf` understands, as `wg-quick strip` prints them.
  ///
  /// Lists of endpoints become one line each, since `wg` takes no lists there.
  ///
  /// The text must have been parsed without error before.
  public static func strip(_ text: String) -> String {
    var lines = lines(of: text)
    if lines.last?.text.isEmpty == true { lines.removeLast() }
    var result = ""
    for line in lines {
      guard case .setting(let key, let value, isComment: false) = line.content,
        let known = ConfigurationKey(key.compact)
      else {
        result += "\(line.text)\n"
        continue
      }
      guard known.dialect == .wg else { continue }
      let endpoints = known == .endpoint ? value.commaSeparated : []
      if endpoints.count < 2 {
        result += "\(line.text)\n"
      } else {
        for endpoint in endpoints { result += "\(key.text) = \(endpoint.text)\n" }
      }
    }
    return result + "\n"
  }
}

extension Configuration.MonitorSocket: CustomStringConvertible {
  /// As a configuration file has it.
  public var description: String {
    switch self {
    case .standard: "on"
    case .path(let path): path
    case .port(let port): "\(port)"
    }
  }
}
