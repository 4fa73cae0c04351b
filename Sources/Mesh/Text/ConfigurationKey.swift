/// A key of a configuration file, in the spelling that `meshd save` writes.
enum ConfigurationKey: String, CaseIterable, Sendable {
  case privateKey = "PrivateKey"
  case listenPort = "ListenPort"
  case firewallMark = "FwMark"
  case address = "Address"
  case dns = "DNS"
  case mtu = "MTU"
  case table = "Table"
  case preUp = "PreUp"
  case postUp = "PostUp"
  case preDown = "PreDown"
  case postDown = "PostDown"
  case saveConfig = "SaveConfig"
  case babel = "Babel"
  case announce = "Announce"
  case check = "Check"
  case transit = "Transit"
  case exit = "Exit"
  case sourceCheck = "RPF"
  case monitorSocket = "MonitorSocket"
  case publicKey = "PublicKey"
  case presharedKey = "PresharedKey"
  case allowedIPs = "AllowedIPs"
  case endpoint = "Endpoint"
  case persistentKeepalive = "PersistentKeepalive"
  case accept = "Accept"
  case maxPrefixes = "MaxPrefixes"
  case babelKey = "BabelKey"
  case filter = "Filter"

  /// A section of the file.
  enum Section: String, Sendable {
    case interface = "[Interface]"
    case peer = "[Peer]"
  }

  /// Who understands a key.
  enum Dialect: Sendable {
    case wg
    case wgQuick
    case meshd
  }

  /// The key spelled so in any case.
  init?(_ text: some StringProtocol) {
    let lowercased = text.lowercased()
    guard let key = Self.allCases.first(where: { $0.rawValue.lowercased() == lowercased }) else { return nil }
    self = key
  }

  var dialect: Dialect {
    switch self {
    case .privateKey, .listenPort, .firewallMark, .publicKey, .presharedKey, .allowedIPs, .endpoint,
      .persistentKeepalive:
      .wg
    case .address, .dns, .mtu, .table, .preUp, .postUp, .preDown, .postDown, .saveConfig: .wgQuick
    case .babel, .announce, .check, .transit, .exit, .sourceCheck, .monitorSocket, .accept, .maxPrefixes,
      .babelKey, .filter:
      .meshd
    }
  }

  func belongs(to section: Section) -> Bool {
    switch self {
    case .privateKey, .listenPort, .firewallMark, .address, .dns, .mtu, .table, .preUp, .postUp, .preDown,
      .postDown, .saveConfig, .announce, .check, .transit, .exit, .sourceCheck, .monitorSocket:
      section == .interface
    case .publicKey, .presharedKey, .allowedIPs, .endpoint, .persistentKeepalive, .accept, .maxPrefixes,
      .babelKey:
      section == .peer
    case .babel, .filter: true
    }
  }

  /// Whether the key may stand behind `#meshd:`: stock tools do not know it, or are not to see all of them.
  var isAllowedInComment: Bool { dialect == .meshd || self == .endpoint }

  /// The key among `keys` that was probably meant by `text`; `nil` if none comes near.
  static func nearest(to text: some StringProtocol, among keys: [ConfigurationKey]) -> ConfigurationKey? {
    let typed = Array(text.lowercased().utf8.prefix(32))
    func distance(_ key: ConfigurationKey) -> (edits: Int, otherInitial: Int) {
      let spelled = Array(key.rawValue.lowercased().utf8)
      return (editDistance(typed, spelled), typed.first == spelled.first ? 0 : 1)
    }
    let candidates = keys.map { (key: $0, distance: distance($0)) }
    guard let best = candidates.min(by: { $0.distance < $1.distance }),
      best.distance.edits <= max(2, typed.count / 3)
    else { return nil }
    return best.key
  }
}

/// The number of characters to insert, delete, replace or swap with their neighbour to make `b` from `a`.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var row = [i + 1]
    for (j, y) in b.enumerated() {
      var edits = min(last[j] + (x == y ? 0 : 1), last[j + 1] + 1, row[j] + 1)
      if i > 0, j > 0, x == b[j - 1], y == a[i - 1] { edits = min(edits, beforeLast[j - 1] + 1) }
      row.append(edits)
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
