internal import Net
internal import Noise

extension ConfigurationParser {
  /// Makes peers of the sections.
  ///
  /// As with `wg setconf`, a later section for the same key changes what it says and replaces the allowed
  /// IPs.
  mutating func finish() throws(ConfigurationError) -> ConfigurationFile {
    var positions: [PublicKey: Int] = [:]
    var merged: [Configuration.Peer] = []
    var sections: [PeerSection] = []
    for section in peers {
      guard let key = section.publicKey else {
        throw error(at: section.header, "this peer has no `PublicKey`", "add `PublicKey = …` below [Peer]")
      }
      guard key != interface.privateKey?.publicKey else {
        warn(at: section.header, "this peer has our own public key and is left out")
        continue
      }
      if let position = positions[key] {
        warn(at: section.header, "this peer was listed before; its allowed IPs are replaced")
        sections[position] = section
        section.apply(to: &merged[position])
      } else {
        positions[key] = merged.count
        sections.append(section)
        var peer = Configuration.Peer(publicKey: key)
        section.apply(to: &peer)
        merged.append(peer)
      }
    }
    assignAllowedIPs(of: sections, to: &merged)
    warnOfIdleChecks()
    result.configuration.interface = interface
    result.configuration.peers = merged
    return result
  }

  /// Gives each prefix to its owners: to every peer that lists it if they speak Babel, else to the last one.
  private mutating func assignAllowedIPs(of sections: [PeerSection], to peers: inout [Configuration.Peer]) {
    var owners: [IPPrefix: [Int]] = [:]
    let babel = interface.babel
    let order = sections.indices.sorted { sections[$0].header.line < sections[$1].header.line }
    for position in order {
      let speaksBabel = peers[position].babel ?? babel
      for (prefix, field) in sections[position].allowedIPs {
        let former = owners[prefix] ?? []
        guard !former.contains(position) else { continue }
        let losers = former.filter { !speaksBabel || !(peers[$0].babel ?? babel) }
        for loser in losers {
          warn(
            at: field,
            "\(prefix) was listed for peer \(peers[loser].publicKey.base64) before and moves to this one")
        }
        peers[position].allowedIPs.append(prefix)
        owners[prefix] = former.filter { !losers.contains($0) } + [position]
      }
    }
    for position in peers.indices {
      peers[position].allowedIPs.removeAll { owners[$0]?.contains(position) != true }
    }
  }
}

extension ConfigurationParser.PeerSection {
  /// Changes `peer` in all but its allowed IPs, which depend on the other sections.
  fileprivate func apply(to peer: inout Configuration.Peer) {
    if let presharedKey { peer.presharedKey = presharedKey }
    if !endpoints.isEmpty { peer.endpoints = endpoints }
    if let persistentKeepalive { peer.persistentKeepalive = persistentKeepalive }
    if let babel { peer.babel = babel }
    if let accept { peer.accept = accept }
    if let maxPrefixes { peer.maxPrefixes = maxPrefixes }
    if !babelKeys.isEmpty { peer.babelKeys = babelKeys }
    if !filters.isEmpty { peer.filters = filters }
  }
}
