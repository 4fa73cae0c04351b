internal import Net
internal import Noise

/// Status as people read it: what `wg show` prints, with meshd's lines added.
public struct ShowText: Sendable {
  /// The time that "ago" counts from, seconds since 1970.
  public var now: Int64
  /// Whether secrets are printed (`WG_HIDE_KEYS=never`).
  public var showsSecrets: Bool
  /// Whether to colour as `wg` does.
  public var isColored: Bool

  /// Makes a printer.
  public init(now: Int64, showsSecrets: Bool = false, isColored: Bool = false) {
    self.now = now
    self.showsSecrets = showsSecrets
    self.isColored = isColored
  }

  /// The whole interface.
  ///
  /// Of a daemon that is not meshd, byte for byte what `wg show INTERFACE` prints.
  public func interface(_ status: Status) -> String {
    var text = style(.reset)
    text += style(.green, .bold) + "interface" + style(.reset) + ": "
    text += style(.green) + status.interfaceName + style(.reset) + "\n"
    if let key = status.privateKey {
      text += line("public key", key.publicKey.base64)
      text += line("private key", showsSecrets ? key.base64 : "(hidden)")
    }
    if status.listenPort != 0 { text += line("listening port", "\(status.listenPort)") }
    if status.firewallMark != 0 { text += line("fwmark", "0x" + String(status.firewallMark, radix: 16)) }
    if status.babel {
      if !status.routerID.isEmpty { text += line("router id", status.routerID) }
      if let address = status.linkLocal { text += line("link-local", "\(address)") }
    }
    if status.lanes > 0 { text += line("lanes", "\(status.lanes)") }
    for (name, isInUse) in [("offloads", true), ("fallbacks", false)] {
      let places = status.offloadsByPlace.compactMap { place, offloads in
        let names = offloads.filter { $0.isInUse == isInUse }.map(\.name)
        return names.isEmpty ? nil : "\(place) \(names.joined(separator: " "))"
      }
      if !places.isEmpty { text += line(name, places.joined(separator: ", ")) }
    }
    for check in status.checks { text += line("check", Self.text(of: check)) }
    for unused in status.unused { text += line("not used here", "\(unused.prefix) (\(unused.reason))") }
    for peer in Self.sorted(status.peers) { text += "\n" + self.peer(peer) }
    return text
  }

  private func peer(_ peer: Status.Peer) -> String {
    var text = style(.yellow, .bold) + "peer" + style(.reset) + ": "
    text += style(.yellow) + peer.publicKey.base64 + style(.reset) + "\n"
    if let key = peer.presharedKey { text += line("preshared key", showsSecrets ? key.base64 : "(hidden)") }
    if let endpoint = peer.endpoint { text += line("endpoint", "\(endpoint)") }
    let slash = style(.cyan) + "/" + style(.reset)
    let prefixes = peer.allowedIPs.map { "\($0.address)\(slash)\($0.length)" }
    text += line("allowed ips", prefixes.isEmpty ? "(none)" : prefixes.joined(separator: ", "))
    if peer.lastHandshakeSeconds != 0 { text += line("latest handshake", ago(peer.lastHandshakeSeconds)) }
    if peer.receivedBytes != 0 || peer.sentBytes != 0 {
      text += line("transfer", "\(bytes(peer.receivedBytes)) received, \(bytes(peer.sentBytes)) sent")
    }
    if peer.persistentKeepalive != 0 {
      text += line("persistent keepalive", "every " + time(UInt64(peer.persistentKeepalive)))
    }
    // One that is in use without having been asked is the endpoint above.
    if peer.paths.count > 1 || peer.paths.first?.roundTrip != nil { text += paths(peer.paths) }
    if let neighbour = peer.neighbour {
      text += line("babel", Self.text(of: neighbour))
      if !neighbour.refusals.isEmpty {
        let refusals = neighbour.refusals.map { "\($0.count) \($0.reason)" }.joined(separator: ", ")
        text += line("refused", "\(refusals) (\(neighbour.prefixes) of \(neighbour.prefixLimit) prefixes)")
      }
    }
    return text
  }

  /// A line for each path, in columns.
  private func paths(_ paths: [Status.Path]) -> String {
    let names = paths.map { path in
      "\(path.endpoint)" + (path.source.map { " from \($0)" } ?? "")
    }
    let width = names.map(\.count).max() ?? 0
    var text = ""
    for (path, name) in zip(paths, names) {
      let padding = String(repeating: " ", count: width - name.count)
      let mark = path.isInUse ? "* " : "  "
      let value = mark + name + padding + "  " + words(for: path).joined(separator: "  ")
      text += text.isEmpty ? line("paths", value) : String(repeating: " ", count: 9) + value + "\n"
    }
    return text
  }

  private func words(for path: Status.Path) -> [String] {
    var words: [String] = []
    switch path.state {
    case .alive:
      if let roundTrip = path.roundTrip { words.append("\(roundTrip.milliseconds) ms") }
      words.append("\(path.lossPerMille / 10).\(path.lossPerMille % 10)% loss")
    case .silent: words.append("no answer")
    case .untried: words.append("untried")
    case .failed: words.append("cannot be sent along")
    }
    if let mtu = path.mtu { words.append("mtu \(mtu)") }
    if path.isInUse, let time = path.useTime {
      words.append("in use " + self.time(UInt64(max(1, time.nanoseconds / 1_000_000_000))))
    }
    if path.isPinned { words.append("pinned") }
    return words
  }

  /// The peers as `wg` orders them: the latest handshake first, those without one last.
  static func sorted(_ peers: [Status.Peer]) -> [Status.Peer] {
    peers.sorted { ($0.lastHandshake ?? 0) > ($1.lastHandshake ?? 0) }
  }

  private static func text(of check: Status.Check) -> String {
    "\(check.prefix) \(check.question): \(check.state.rawValue)" + (check.reason.map { " (\($0))" } ?? "")
  }

  private static func text(of neighbour: Status.Neighbour) -> String {
    let address = neighbour.address.map { "\($0) " } ?? ""
    return "\(address)reach \(neighbour.reach.fourDigits) rxcost \(neighbour.rxcost) "
      + "txcost \(neighbour.txcost) cost \(neighbour.cost)"
      + (neighbour.roundTrip.map { " rtt \($0.milliseconds) ms" } ?? "")
  }
}

extension ShowText {
  private enum Style: String {
    case reset = "\u{1B}[0m"
    case bold = "\u{1B}[1m"
    case red = "\u{1B}[31m"
    case green = "\u{1B}[32m"
    case yellow = "\u{1B}[33m"
    case cyan = "\u{1B}[36m"
  }

  private func style(_ styles: Style...) -> String {
    isColored ? styles.map(\.rawValue).joined() : ""
  }

  private func line(_ name: String, _ value: String) -> String {
    "  " + style(.bold) + name + style(.reset) + ": " + value + "\n"
  }

  private func ago(_ seconds: Int64) -> String {
    let (age, overflow) = now.subtractingReportingOverflow(seconds)
    guard !overflow, age >= 0 else {
      let warning = "System clock wound backward; connection problems may ensue."
      return "(" + style(.red) + warning + style(.reset) + ")"
    }
    return age == 0 ? "Now" : time(UInt64(age)) + " ago"
  }

  private func time(_ seconds: UInt64) -> String {
    let units: [(count: UInt64, name: String)] = [
      (seconds / 31_536_000, "year"), (seconds % 31_536_000 / 86_400, "day"),
      (seconds % 86_400 / 3600, "hour"),
      (seconds % 3600 / 60, "minute"), (seconds % 60, "second"),
    ]
    return units.filter { $0.count > 0 }.map { unit in
      "\(unit.count) " + style(.cyan) + unit.name + (unit.count == 1 ? "" : "s") + style(.reset)
    }.joined(separator: ", ")
  }

  private func bytes(_ count: UInt64) -> String {
    guard count >= 1024 else { return "\(count) " + style(.cyan) + "B" + style(.reset) }
    let exponent = min((63 - count.leadingZeroBitCount) / 10, 4)
    let unit = ["B", "KiB", "MiB", "GiB", "TiB"][exponent]
    return Self.hundredths(count, shift: UInt64(10 * exponent)) + " " + style(.cyan) + unit + style(.reset)
  }

  /// `count` / 2^`shift` with two digits after the point, as C's `%.2f` rounds: to nearest, ties to even.
  private static func hundredths(_ count: UInt64, shift: UInt64) -> String {
    let whole = count >> shift
    let remainder = (count & (1 << shift - 1)) * 100
    var hundredths = remainder >> shift
    let rest = remainder & (1 << shift - 1)
    let half: UInt64 = 1 << (shift - 1)
    if rest > half || (rest == half && hundredths & 1 == 1) { hundredths += 1 }
    let sum = whole * 100 + hundredths
    return "\(sum / 100).\(sum % 100 < 10 ? "0" : "")\(sum % 100)"
  }
}
