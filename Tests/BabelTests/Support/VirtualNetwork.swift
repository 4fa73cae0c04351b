import Net
import Testing

@testable import Babel

/// N speakers, links with delay and loss, and one clock.
///
/// Everything follows from the seed.
///
/// Each node is its index; a neighbour's id is the index of the node behind it. Node `n` originates `fd00::n/128`.
struct VirtualNetwork {
  struct Link {
    var delay: Duration
    /// The most that chance adds to the delay.
    var jitter = Duration.zero
    var loss = 0.0
    var isUp = true
    /// Whether packets vanish although both ends believe in the link.
    var isBlackhole = false
  }

  struct Delivery {
    var time: Instant
    var order: Int
    var from: Int
    var to: Int
    var payload: [UInt8]
    var isUnicast: Bool
  }

  var speakers: [Speaker]
  var links: [Edge: Link] = [:]
  var costs: [Edge: UInt16] = [:]
  private(set) var now = Instant(nanoseconds: 1_000_000_000)
  private(set) var sentPackets = 0
  private(set) var loopChecks = 0
  private var deliveries: [Delivery] = []
  private var delivered: [Edge: Delivery] = [:]
  private var order = 0
  private var random: SplitMix64
  let seed: UInt64

  /// A direction: what `to` receives from `from`.
  struct Edge: Hashable {
    var from: Int
    var to: Int
  }

  init(count: Int, seed: UInt64, timing: Timing = Timing()) {
    self.seed = seed
    random = SplitMix64(seed: seed)
    speakers = (0..<count).map { node in
      Speaker(
        routerID: Self.routerID(node), seqno: Seqno(UInt16(truncatingIfNeeded: seed &+ UInt64(node))),
        seed: seed &* 1000 &+ UInt64(node), timing: timing)
    }
    for node in 0..<count {
      speakers[node].originate(Self.prefix(node), at: now)
      drain(node)
    }
  }

  static func linkLocal(_ node: Int) -> IPv6Address {
    IPv6Address(high: 0xFE80 << 48, low: UInt64(node) + 1)
  }
  static func prefix(_ node: Int) -> IPPrefix {
    IPPrefix(host: .v6(IPv6Address(high: 0xFD00 << 48, low: UInt64(node) + 1)))
  }
  static func routerID(_ node: Int) -> RouterID { RouterID(UInt64(node) + 1).unsafelyUnwrapped }

  /// Connects two nodes, with what it costs to send from the first to the second and back.
  mutating func connect(
    _ a: Int, _ b: Int, cost: UInt16 = 96, back: UInt16? = nil, delay: Duration = .milliseconds(5),
    delayPenalty: DelayPenalty = .none, keys: [MACKey] = []
  ) {
    for (from, to, cost) in [(a, b, cost), (b, a, back ?? cost)] {
      links[Edge(from: from, to: to)] = Link(delay: delay)
      costs[Edge(from: from, to: to)] = cost
      let settings = NeighbourSettings(
        ourLinkLocal: Self.linkLocal(to), expected: Self.linkLocal(from), isMeshd: true,
        receiveCost: Metric(cost), delayPenalty: delayPenalty, keys: keys)
      speakers[to].addNeighbour(NeighbourID(UInt32(from)), settings, at: now)
    }
    for (node, peer) in [(a, b), (b, a)] {
      speakers[node].linkUp(NeighbourID(UInt32(peer)), at: now)
      drain(node)
    }
  }

  /// Does something to a node's speaker.
  mutating func act(_ node: Int, _ change: (inout Speaker, Instant) -> Void) {
    change(&speakers[node], now)
    drain(node)
  }

  /// Has a node authenticate the packets on one of its links with other keys.
  mutating func setKeys(_ keys: [MACKey], of node: Int, towards peer: Int) {
    let settings = NeighbourSettings(
      ourLinkLocal: Self.linkLocal(node), expected: Self.linkLocal(peer), isMeshd: true,
      delayPenalty: DelayPenalty.none,
      keys: keys)
    speakers[node].updateNeighbour(NeighbourID(UInt32(peer)), settings, at: now)
    drain(node)
  }

  /// Delivers the last packet that was delivered in a direction once more.
  mutating func replayLastPacket(from: Int, to: Int) {
    guard let packet = delivered[Edge(from: from, to: to)] else { return }
    deliver(packet)
  }

  /// Loses all packets between two nodes from now on; both have to find out.
  mutating func cut(_ a: Int, _ b: Int) {
    links[Edge(from: a, to: b)]?.isBlackhole = true
    links[Edge(from: b, to: a)]?.isBlackhole = true
  }

  /// Undoes `cut`.
  mutating func heal(_ a: Int, _ b: Int) {
    links[Edge(from: a, to: b)]?.isBlackhole = false
    links[Edge(from: b, to: a)]?.isBlackhole = false
  }

  /// Makes both directions of a link slower or faster.
  mutating func setDelay(_ delay: Duration, between a: Int, _ b: Int) {
    for edge in [Edge(from: a, to: b), Edge(from: b, to: a)] { links[edge]?.delay = delay }
  }

  mutating func setLoss(_ loss: Double) {
    for edge in links.keys { links[edge]?.loss = loss }
  }

  /// Runs to `duration` from now and checks the invariants after every event.
  mutating func run(for duration: Duration) {
    let end = now.advanced(by: duration)
    while let next = nextEvent(), next <= end {
      now = next
      // Deliveries first, in order of sending; then the nodes whose time has come, in order.
      while let index = deliveries.firstIndex(where: { $0.time <= now }) {
        let packet = deliveries.remove(at: index)
        deliver(packet)
      }
      for node in speakers.indices where speakers[node].nextDeadline <= now {
        speakers[node].advance(to: now)
        drain(node)
      }
    }
    now = end
  }

  private func nextEvent() -> Instant? {
    let packet = deliveries.lazy.map(\.time).min() ?? .distantFuture
    let deadline = speakers.lazy.map(\.nextDeadline).min() ?? .distantFuture
    let next = min(packet, deadline)
    return next == .distantFuture ? nil : max(next, now)
  }

  private mutating func deliver(_ packet: Delivery) {
    guard let link = links[Edge(from: packet.from, to: packet.to)], link.isUp else { return }
    delivered[Edge(from: packet.from, to: packet.to)] = packet
    speakers[packet.to].handle(
      packet.payload.span.bytes, from: NeighbourID(UInt32(packet.from)),
      source: Self.linkLocal(packet.from), destinationIsUnicast: packet.isUnicast, at: now)
    drain(packet.to)
  }

  /// Takes a speaker's outputs.
  mutating func drain(_ node: Int) {
    while let output = speakers[node].poll() {
      switch output {
      case .send(let id, let packet):
        sentPackets += 1
        let payload = packet.payload(at: now)
        #expect(payload.count <= 1372, "seed \(seed)")
        transmit(payload, from: node, to: Int(id.rawValue), isUnicast: packet.isUnicast)
      case .routeChanged(let key):
        checkInvariants(node, key.prefix)
      case .neighbourChanged, .neighbourDoubted, .seqnoChanged, .switched, .claimLost, .prefixLimitReached:
        break
      }
    }
  }

  private mutating func transmit(_ payload: [UInt8], from: Int, to: Int, isUnicast: Bool) {
    guard let link = links[Edge(from: from, to: to)], link.isUp, !link.isBlackhole else { return }
    let isLost = Double(random.next() >> 11) / Double(1 << 53) < link.loss
    guard !isLost else { return }
    order += 1
    let share = Double(random.next() >> 11) / Double(1 << 53)
    let delay = link.jitter == .zero ? link.delay : link.delay + link.jitter * share
    deliveries.append(
      Delivery(
        time: now.advanced(by: delay), order: order, from: from, to: to, payload: payload,
        isUnicast: isUnicast))
  }
}

extension VirtualNetwork {
  /// The node that `node` sends packets for `prefix` to.
  func nextHop(_ node: Int, _ prefix: IPPrefix) -> Int? {
    guard case .via(let id, _, _, _) = speakers[node].route(for: prefix).state else { return nil }
    return Int(id.rawValue)
  }

  /// The nodes that a packet for `prefix` visits on its way to `end`; `nil` if it does not arrive.
  func way(from node: Int, to end: Int, _ prefix: IPPrefix) -> [Int]? {
    var way = [node]
    while let last = way.last, last != end {
      guard let next = nextHop(last, prefix), way.count <= speakers.count else { return nil }
      way.append(next)
    }
    return way
  }

  func metric(_ node: Int, to destination: Int) -> UInt16? {
    switch speakers[node].route(for: Self.prefix(destination)).state {
    case .via(_, let metric, _, _): metric.rawValue
    case .local: 0
    case .unreachable, .none: nil
    }
  }

  /// After a node changed its mind about a prefix: a loop must include it, and its edges obey the feasibility condition.
  mutating func checkInvariants(_ node: Int, _ prefix: IPPrefix) {
    loopChecks += 1
    var hop = node
    var steps = 0
    while let next = nextHop(hop, prefix) {
      hop = next
      steps += 1
      guard steps <= speakers.count else {
        Issue.record("loop for \(prefix) through node \(node) at \(now), seed \(seed)")
        return
      }
    }
    if let next = nextHop(node, prefix) { checkDistance(from: node, to: next, prefix) }
  }

  /// On every edge in use the distance of the nearer node is strictly better (RFC 8966 §2.4).
  private func checkDistance(from node: Int, to next: Int, _ prefix: IPPrefix) {
    let key = RouteKey(prefix)
    guard let slot = speakers[node].routeTable.slot(key),
      let route = speakers[node].routeTable[slot].selectedRoute
    else { return }
    // The origin keeps no distance for its own prefix.
    guard route.routerID != Self.routerID(next) else { return }
    guard let theirs = speakers[next].sourceTable.distance(key, route.routerID, at: now) else {
      Issue.record("node \(next) announced \(prefix) without a distance, seed \(seed)")
      return
    }
    let announced = FeasibilityDistance(seqno: route.seqno, metric: route.referenceMetric)
    #expect(
      theirs == announced || theirs.admits(seqno: announced.seqno, metric: announced.metric) == false,
      "distance of \(next) worse than what it announced, seed \(seed)")
    if let ours = speakers[node].sourceTable.distance(key, route.routerID, at: now) {
      #expect(ours.admits(seqno: theirs.seqno, metric: theirs.metric), "edge \(node)->\(next), seed \(seed)")
    }
  }

  /// Shortest distances from every node to `destination` over links that carry packets both ways (Dijkstra).
  func distances(to destination: Int) -> [Int?] {
    var distance = [Int?](repeating: nil, count: speakers.count)
    var isDone = [Bool](repeating: false, count: speakers.count)
    distance[destination] = 0
    while true {
      var nearest: Int?
      for node in speakers.indices where !isDone[node] {
        guard let candidate = distance[node] else { continue }
        if let found = nearest, let best = distance[found], best <= candidate { continue }
        nearest = node
      }
      guard let node = nearest, let base = distance[node] else { return distance }
      isDone[node] = true
      for other in speakers.indices where isUsable(other, node) {
        let sum = base + Int(costs[Edge(from: other, to: node)] ?? 0)
        if distance[other].map({ sum < $0 }) ?? true { distance[other] = sum }
      }
    }
  }

  private func isUsable(_ a: Int, _ b: Int) -> Bool {
    for edge in [Edge(from: a, to: b), Edge(from: b, to: a)] {
      guard let link = links[edge], link.isUp, !link.isBlackhole else { return false }
    }
    return true
  }

  /// Expects every node to use a shortest path to every other, and to know no way where there is none.
  func expectConverged(_ location: SourceLocation = #_sourceLocation) {
    for destination in speakers.indices {
      let expected = distances(to: destination)
      for node in speakers.indices {
        #expect(
          metric(node, to: destination).map(Int.init) == expected[node],
          "\(node) to \(destination), seed \(seed)", sourceLocation: location)
      }
    }
  }
}
