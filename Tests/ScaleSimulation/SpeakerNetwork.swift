import Babel
import Net
import Simulation

/// Many speakers on a random graph, with equal links and one clock.
///
/// Speakers only, since sessions and tables of a whole node would measure something else; but every packet is encoded
/// and parsed. Node `n` originates one address of each family.
struct SpeakerNetwork {
  private enum Event {
    case arrival(from: Int, to: Int, payload: [UInt8], isUnicast: Bool)
    case wake(node: Int)
    case link(Int, Int)
  }

  /// What was sent in a span of time.
  struct Traffic {
    var packets = 0
    /// Octets on the wire: with IPv6 and UDP inside, WireGuard's padding and overhead, and IPv4 and UDP outside.
    var octets = 0
    /// Update TLVs, counted while `countsUpdates`.
    var updates = 0
  }

  private(set) var speakers: [Speaker]
  private(set) var now = Instant(nanoseconds: 1_000_000_000)
  /// By sender.
  private(set) var traffic: [Traffic]
  /// Routes that living nodes do not have to each other; less by those they have to dead ones.
  private(set) var missingCount = 0
  /// Whether packets are read once more when they are sent.
  var countsUpdates = false
  /// Nodes that are gone without a word.
  private var dead: Set<Int> = []
  private var edges: [(Int, Int)] = []
  private let delay: Duration
  private var queue = EventQueue<Event>()
  private var wakeUps: [Instant]
  private var random: SplitMix64

  /// Makes nodes on a union of `degree / 2` random rings, whose links come up during the first second.
  init(count: Int, degree: Int, delay: Duration, seed: UInt64) {
    self.delay = delay
    random = SplitMix64(seed: seed)
    traffic = Array(repeating: Traffic(), count: count)
    wakeUps = Array(repeating: .distantFuture, count: count)
    speakers = (0..<count).compactMap { node in
      RouterID(Self.identifier(node)).map {
        Speaker(routerID: $0, seqno: Seqno(1), seed: seed &+ UInt64(node))
      }
    }
    var known: Set<[Int]> = []
    for _ in 0..<max(degree / 2, 1) {
      let ring = Array(0..<count).shuffled(using: &random)
      for index in ring.indices {
        let (a, b) = (ring[index], ring[(index + 1) % count])
        guard known.insert([min(a, b), max(a, b)]).inserted else { continue }
        edges.append((a, b))
      }
    }
    for node in 0..<count {
      for address in Self.addresses(node) { speakers[node].originate(IPPrefix(host: address), at: now) }
    }
    for (a, b) in edges {
      for (node, peer) in [(a, b), (b, a)] {
        let settings = NeighbourSettings(
          ourLinkLocal: Self.linkLocal(node), expected: Self.linkLocal(peer),
          ipv4NextHop: IPv4Address(bits: Self.bits(node)))
        speakers[node].addNeighbour(NeighbourID(UInt32(peer)), settings, at: now)
      }
      queue.insert(.link(a, b), at: now.advanced(by: random.duration(below: .seconds(1))))
    }
    for node in 0..<count { drain(node) }
    missingCount = count * (count - 1) * 2
  }

  /// Forgets what was sent so far.
  mutating func resetTraffic() {
    traffic = Array(repeating: Traffic(), count: speakers.count)
  }

  /// Ends a node without a word.
  mutating func kill(_ node: Int) {
    // Neither its routes to the others nor theirs to it are wanted any more.
    missingCount -= 4 * (speakers.count - dead.count - 1)
    missingCount += speakers[node].keys.count {
      if case .via = speakers[node].route(for: $0).state { true } else { false }
    }
    dead.insert(node)
  }

  /// Lets the clock run to `end`, or until `condition` fails.
  mutating func run(until end: Instant, while condition: (SpeakerNetwork) -> Bool = { _ in true }) {
    while let next = queue.first, next <= end, let (instant, event) = queue.popFirst() {
      now = instant
      switch event {
      case .arrival(let from, let to, let payload, let isUnicast):
        guard !dead.contains(to) else { continue }
        speakers[to].handle(
          payload.span.bytes, from: NeighbourID(UInt32(from)), source: Self.linkLocal(from),
          destinationIsUnicast: isUnicast, at: now)
        drain(to)
      case .wake(let node):
        guard wakeUps[node] <= now, !dead.contains(node) else { continue }
        wakeUps[node] = .distantFuture
        speakers[node].advance(to: now)
        drain(node)
      case .link(let a, let b):
        for (node, peer) in [(a, b), (b, a)] {
          speakers[node].linkUp(NeighbourID(UInt32(peer)), at: now)
          drain(node)
        }
      }
      guard condition(self) else { return }
    }
    now = max(now, end)
  }

  private mutating func drain(_ node: Int) {
    while let output = speakers[node].poll() {
      switch output {
      case .send(let id, let packet): send(packet, from: node, to: Int(id.rawValue))
      case .switched(let change):
        if change.former == nil, change.current != nil { missingCount -= 1 }
        if change.former != nil, change.current == nil { missingCount += 1 }
      default: break
      }
    }
    let deadline = speakers[node].nextDeadline
    guard deadline < wakeUps[node] else { return }
    wakeUps[node] = max(deadline, now)
    queue.insert(.wake(node: node), at: wakeUps[node])
  }

  private mutating func send(_ packet: OutgoingPacket, from node: Int, to peer: Int) {
    let payload = packet.payload(at: now)
    let inner = min((payload.count + 48 + 15) / 16 * 16, 1420)
    traffic[node].packets += 1
    traffic[node].octets += inner + 32 + 28
    if countsUpdates { traffic[node].updates += updateCount(payload, from: node) }
    queue.insert(
      .arrival(from: node, to: peer, payload: payload, isUnicast: packet.isUnicast),
      at: now.advanced(by: delay))
  }

  private func updateCount(_ payload: [UInt8], from node: Int) -> Int {
    guard var reader = PacketReader(payload.span.bytes, from: Self.linkLocal(node)) else { return 0 }
    var count = 0
    while let message = reader.next() {
      if case .update = message { count += 1 }
    }
    return count
  }

  // As real ones are, interface identifiers are spread over their space.
  private static func identifier(_ node: Int) -> UInt64 {
    var random = SplitMix64(seed: UInt64(node))
    return random.next() | 1
  }

  private static func linkLocal(_ node: Int) -> IPv6Address {
    IPv6Address(high: 0xFE80 << 48, low: identifier(node))
  }

  private static func bits(_ node: Int) -> UInt32 { 10 << 24 | UInt32(node + 1) }

  private static func addresses(_ node: Int) -> [IPAddress] {
    [.v4(IPv4Address(bits: bits(node))), .v6(IPv6Address(high: 0xFD77 << 48, low: UInt64(node) + 1))]
  }
}
