import Babel
import Mesh
import Net

// Babel's view and the trie that packets follow are made in different ways, and must say the same.
extension SimulatedDaemon {
  /// Where the forwarding table is not what Babel's tables, the configuration and our own prefixes make of it, in words.
  func tableDisagreements(_ configuration: Configuration, at now: Instant) -> [String] {
    var expected: [RouteKey: Expectation] = [:]
    for peer in configuration.peers {
      guard let id = id(of: peer.publicKey) else { continue }
      for prefix in peer.allowedIPs { expected[RouteKey(prefix), default: Expectation()].owners.append(id) }
    }
    for row in node.routeRows(all: true, at: now) {
      let key = RouteKey(row.prefix, source: row.source)
      expected[key, default: Expectation()].add(row)
    }
    let own = Set(configuration.interface.host.addresses.map { IPPrefix(host: $0.address) })
    for row in node.xrouteRows(at: now) {
      let key = RouteKey(row.prefix, source: row.source)
      expected[key, default: Expectation()].isAnnounced = true
    }
    for prefix in own { expected[RouteKey(prefix), default: Expectation()].isOwn = true }
    for announcement in configuration.interface.announce {
      expected[RouteKey(announcement.prefix, source: announcement.source), default: Expectation()].isOwn =
        true
    }
    var found: [String] = []
    table.allowedIPs.forEach { prefix, source, route in
      let key = RouteKey(prefix, source: source)
      let expectation = expected.removeValue(forKey: key) ?? Expectation()
      guard !expectation.agrees(with: route) else { return }
      found.append("the table says \(route) to \(prefix), Babel \(expectation)")
    }
    for (key, expectation) in expected where !expectation.agrees(with: Route(.none)) {
      found.append("the table says nothing to \(key.prefix), Babel \(expectation)")
    }
    return found.sorted()
  }

  /// What a route of the table follows from.
  private struct Expectation {
    var isOwn = false
    var isAnnounced = false
    var owners: [PeerID] = []
    var selected: PeerID?
    var announcers: [PeerID] = []
    var isHeld = false

    mutating func add(_ row: RouteRow) {
      guard let via = row.via else {
        isHeld = true
        return
      }
      let peer = PeerID(rawValue: via.number)
      announcers.append(peer)
      if row.state == .selected { selected = peer }
    }

    func agrees(with route: Route) -> Bool {
      guard route.target != target else {
        return announcers.allSatisfy { isOwn || route.sources.contains($0) }
      }
      // For a peer that is silent, its owner speaks.
      guard case .peer(let peer) = route.target else { return false }
      return isAnnounced && !isOwn && owners.contains(peer)
    }

    private var target: Route.Target {
      if isOwn { return .local }
      if let selected { return .peer(selected) }
      guard announcers.isEmpty, !isHeld else { return .unreachable }
      return owners.first.map { .peer($0) } ?? .none
    }
  }
}
