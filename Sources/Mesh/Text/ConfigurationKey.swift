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
  case transit = "Transit"
  case publicKey = "PublicKey"
  case presharedKey = "PresharedKey"
  case allowedIPs = "AllowedIPs"
  case endpoint = "Endpoint"
  case persistentKeepalive = "PersistentKeepalive"
  case accept = "Accept"

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
    case .babel, .announce, .transit, .accept: .meshd
    }
  }

  func belongs(to section: Section) -> Bool {
    switch self {
    case .privateKey, .listenPort, .firewallMark, .address, .dns, .mtu, .table, .preUp, .postUp, .preDown,
      .postDown, .saveConfig, .announce, .transit:
      section == .interface
    case .publicKey, .presharedKey, .allowedIPs, .endpoint, .persistentKeepalive, .accept: section == .peer
    case .babel: true
    }
  }

  /// The key of `section` that was probably meant by `text`; `nil` if none comes near.
  static func nearest(to text: some StringProtocol, in section: Section) -> ConfigurationKey? {
    let typed = Array(text.lowercased().utf8.prefix(32))
    let candidates = allCases.filter { $0.belongs(to: section) }
      .map { (key: $0, distance: editDistance(typed, Array($0.rawValue.lowercased().utf8))) }
    guard let best = candidates.min(by: { $0.distance < $1.distance }),
      best.distance <= max(2, typed.count / 3)
    else { return nil }
    return best.key
  }
}

/// The number of characters to insert, delete or replace to make `b` from `a` (Levenshtein).
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let replaced = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[b.count]
}
