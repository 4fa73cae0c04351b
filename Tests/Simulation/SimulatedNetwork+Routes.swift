import Mesh
public import Net
import Noise

// What the tables of all hosts say together.
extension SimulatedNetwork {
  /// The cost of every link that works, before its delay.
  private static let linkCost = 96

  /// Every host's own addresses: what the tables are followed to.
  private func destination(_ index: Int) -> IPAddress {
    hosts[index / 2].addresses[index % 2]
  }

  /// Notes the next hops of a host whose table is new, and follows those that changed: none may lead into a loop.
  ///
  /// A session that is new makes every way over it new: what leaves under keys that the other end has lost goes nowhere.
  func note(_ number: Int) {
    let host = hosts[number]
    let sessions = host.configuration.peers.map { host.daemon?.entry(of: $0.publicKey)?.current?.localIndex }
    let areSessionsNew = sessions != host.sessions
    host.sessions = sessions
    for index in nextHops[number].indices {
      let hop = host.daemon?.nextHop(to: destination(index)).flatMap { numbers[$0] }
      guard hop != nextHops[number][index] || areSessionsNew && hop != nil else { continue }
      nextHops[number][index] = hop
      follow(from: number, destination: index)
    }
  }

  private func follow(from start: Int, destination index: Int) {
    followedCount += 1
    var way = [start]
    while let last = way.last, let next = nextHops[last][index], isHeard(last, by: next) {
      guard !way.contains(next) else {
        let loop = Array(way[(way.firstIndex(of: next) ?? 0)...])
        guard !isExcused(loop, destination: index) else { return }
        violations.append(
          "\(now.nanoseconds / 1_000_000) ms: loop to \(destination(index)) "
            + loop.map { describe($0, destination: index) }.joined(separator: ", "))
        return
      }
      way.append(next)
    }
  }

  /// Whether a host could open what another one sends it now.
  private func isHeard(_ host: Int, by other: Int) -> Bool {
    guard let session = hosts[host].daemon?.entry(of: hosts[other].publicKey)?.current else { return false }
    return hosts[other].daemon?.table.session(session.remoteIndex)?.peer.publicKey == hosts[host].publicKey
  }

  /// Whether a loop is one that Babel does not keep from arising for a moment.
  ///
  /// The prefix that leads into it has several origins (RFC 8966 §2.7), be they honest or a liar's; a liar is in the loop
  /// itself; or a node has just started, has lost its distances, and the news of that is on the way to its neighbours.
  private func isExcused(_ loop: [Int], destination index: Int) -> Bool {
    guard liars.isDisjoint(with: loop) else { return true }
    guard loop.allSatisfy({ hosts[$0].startedAt < now.advanced(by: .seconds(-1)) }) else { return true }
    let routes = loop.map { route(at: $0, destination: index) }
    let prefixes = Set(routes.map { $0?.prefix })
    guard prefixes.isDisjoint(with: falsePrefixes.map { $0 }) else { return true }
    return prefixes.count == 1 && Set(routes.map { $0?.routerID }).count > 1
  }

  /// What Babel says about the way that a host's packets to a destination take.
  private func route(at host: Int, destination index: Int) -> RouteRow? {
    guard let daemon = hosts[host].daemon,
      let source = daemon.table.settings.ownAddresses.first(where: {
        $0.family == destination(index).family
      })
    else { return nil }
    let prefix = daemon.table.allowedIPs.lookup(destination(index), from: source)?.prefix
    return daemon.node.routeRows(all: false, at: now).first { $0.prefix == prefix && $0.state == .selected }
  }

  private func describe(_ host: Int, destination index: Int) -> String {
    let prefix = route(at: host, destination: index)?.prefix ?? IPPrefix(host: destination(index))
    let rows = hosts[host].daemon?.node.routeRows(all: true, at: now).filter { $0.prefix == prefix } ?? []
    let ways = rows.map { row in
      let via = row.via.flatMap { numbers[$0.publicKey] }
      return
        "\(via.map(String.init) ?? "nobody") \(row.referenceMetric)+\(Int(row.metric) - Int(row.referenceMetric)) "
        + "seqno \(row.seqno) \(row.verdict)"
    }
    return
      "\(host) by \(nextHops[host][index].map(String.init) ?? "nobody") for \(prefix) of [\(ways.joined(separator: "; "))]"
  }

  /// The hosts that a packet would visit, the first being the sender; `nil` if it would not arrive.
  public func way(from start: Int, to end: Int, _ family: AddressFamily = .v6) -> [Int]? {
    let index = 2 * end + (family == .v4 ? 0 : 1)
    var way = [start]
    while let last = way.last, last != end {
      guard let next = nextHops[last][index], way.count <= hosts.count else { return nil }
      way.append(next)
    }
    return way
  }

  /// The metric of the route in use at a host; `nil` if there is none.
  public func metric(at host: Int, to end: Int, _ family: AddressFamily = .v6) -> Int? {
    guard host != end else { return 0 }
    return metrics(at: host)[IPPrefix(host: hosts[end].addresses[family == .v4 ? 0 : 1])]
  }

  /// The metrics of the routes in use at a host.
  private func metrics(at host: Int) -> [IPPrefix: Int] {
    let routes = hosts[host].daemon?.node.routeRows(all: false, at: now) ?? []
    return Dictionary(
      routes.lazy.filter { $0.state == .selected && $0.source == nil }.map { ($0.prefix, Int($0.metric)) },
      uniquingKeysWith: { first, _ in first })
  }

  /// What each host pays to each other one: the cost that its Babel has found, which is the link's and that of its delay.
  ///
  /// `nil` where Babel is not spoken because one of the two has more peers than it wants neighbours.
  private func costs() -> [[Int?]] {
    hosts.map { host in
      var costs = hosts.map { isBounded(host) || isBounded($0) ? nil : Self.linkCost }
      for peer in host.daemon?.node.status(at: now).peers ?? [] {
        guard let number = numbers[peer.publicKey], let cost = peer.neighbour?.cost, cost != .max else {
          continue
        }
        costs[number] = Int(cost)
      }
      return costs
    }
  }

  private func isBounded(_ host: SimulatedHost) -> Bool {
    host.configuration.interface.adjacencies.map { host.configuration.peers.count > $0 } ?? false
  }

  /// The least cost from every host to `end` over links that carry datagrams both ways (Dijkstra).
  ///
  /// Over those on which Babel is spoken, as long as these reach as far as all.
  public func distances(to end: Int) -> [Int?] {
    distances(to: end, costs())
  }

  private func distances(to end: Int, _ costs: [[Int?]]) -> [Int?] {
    let everyLink = hosts.map { _ in [Int?](repeating: Self.linkCost, count: hosts.count) }
    return zip(shortest(to: end, costs), shortest(to: end, everyLink)).map { $0 ?? $1 }
  }

  private func shortest(to end: Int, _ costs: [[Int?]]) -> [Int?] {
    var distance = [Int?](repeating: nil, count: hosts.count)
    var isDone = [Bool](repeating: false, count: hosts.count)
    distance[end] = 0
    while true {
      let open = hosts.indices.filter { !isDone[$0] && distance[$0] != nil }
      guard let nearest = open.min(by: { (distance[$0] ?? 0) < (distance[$1] ?? 0) }) else { return distance }
      isDone[nearest] = true
      for other in hosts.indices where areNeighbours(nearest, other) {
        guard let cost = costs[other][nearest] else { continue }
        let sum = (distance[nearest] ?? 0) + cost
        distance[other] = min(distance[other] ?? sum, sum)
      }
    }
  }

  private func areNeighbours(_ a: Int, _ b: Int) -> Bool {
    guard a != b, arePeers(a, b), arePeers(b, a) else { return false }
    return [Direction(from: a, to: b), Direction(from: b, to: a)].allSatisfy { links[$0]?.isCut == false }
  }

  func arePeers(_ a: Int, _ b: Int) -> Bool {
    hosts[a].daemon != nil
      && hosts[a].configuration.peers.contains { $0.publicKey == hosts[b].publicKey && $0.babel != false }
  }

  /// Where the routes in use are not the shortest, in words; empty when the network has converged.
  ///
  /// What a link's delay has just added or taken is known to others with the next full update, so a path may seem, or be,
  /// a quarter longer or shorter than it is.
  public func disagreements() -> [String] {
    var found: [String] = []
    let costs = costs()
    let known = hosts.map { metrics(at: $0.number) }
    for end in hosts.indices {
      let expected = distances(to: end, costs)
      for address in hosts[end].addresses {
        for host in hosts.indices where hosts[host].daemon != nil {
          let metric = host == end ? 0 : known[host][IPPrefix(host: address)]
          guard !Self.agree(metric, expected[host]) else { continue }
          found.append(
            "\(host) to \(end) \(address.family): \(metric.map(String.init) ?? "none"), "
              + "not \(expected[host].map(String.init) ?? "none")")
        }
      }
    }
    return found
  }

  private static func agree(_ metric: Int?, _ expected: Int?) -> Bool {
    guard let metric, let expected else { return metric == nil && expected == nil }
    return abs(metric - expected) <= max(max(metric, expected) / 4, 24)
  }

  /// Cuts both directions between two hosts, without telling them.
  public func cut(_ a: Int, _ b: Int) {
    setCut(a, b, true)
  }

  /// Undoes `cut`.
  public func heal(_ a: Int, _ b: Int) {
    setCut(a, b, false)
  }

  private func setCut(_ a: Int, _ b: Int, _ isCut: Bool) {
    links[Direction(from: a, to: b)]?.isCut = isCut
    links[Direction(from: b, to: a)]?.isCut = isCut
  }

  /// Cuts every link between hosts of a group and others.
  public func partition(_ group: Set<Int>) {
    for direction in links.keys where group.contains(direction.from) != group.contains(direction.to) {
      links[direction]?.isCut = true
    }
  }

  /// Undoes every cut.
  public func healAll() {
    for direction in links.keys { links[direction]?.isCut = false }
  }

  /// Changes every link.
  public func setQuality(_ change: (inout LinkQuality) -> Void) {
    for direction in links.keys {
      guard var quality = links[direction] else { continue }
      change(&quality)
      links[direction] = quality
    }
  }
}
