import Mesh
import Net

// What befalls a network.
extension Scenario {
  /// Something happens, and some time passes with traffic in it.
  mutating func disturb() {
    let host = random.number(below: network.hosts.count)
    let edge = random.pick(edges)
    let kind = random.number(below: 14)
    log.append(
      "\(network.now.nanoseconds / 1_000_000) ms: \(kind) of host \(host) or link \(edge.a)-\(edge.b)")
    switch kind {
    case 0, 1: network.cut(edge.a, edge.b)
    case 2: cutOneWay(edge)
    case 3: network.healAll()
    case 4: network.heal(edge.a, edge.b)
    case 5: network.stop(host)
    case 6: network.stop(host, gracefully: true)
    case 7: startAll()
    case 8: restart(host)
    case 9: flapInterface(of: host)
    case 10: forgetPeer(of: host)
    case 11: partition()
    // Only one host ever moves: two that move at once would never find each other again.
    case 12: network.move(0)
    default: lengthen(edge)
    }
    expectTables("disturbed")
    if liar != nil { lieForAWhile() }
    let sender = random.number(below: network.hosts.count)
    network.send(network.packet(from: sender, to: host, number: random.number(below: 60_000)), from: sender)
    network.run(for: .milliseconds(50) + random.duration(below: .seconds(4)))
    expectTables("later")
  }

  private mutating func cutOneWay(_ edge: Edge) {
    let (from, to) = random.once(in: 2) ? (edge.a, edge.b) : (edge.b, edge.a)
    network.links[.init(from: from, to: to)]?.isCut = true
  }

  private func startAll() {
    for host in network.hosts where host.daemon == nil { network.start(host.number) }
  }

  private mutating func restart(_ host: Int) {
    network.stop(host)
    if random.once(in: 2) { network.eraseDisk(of: host) }
    network.run(for: random.duration(below: .seconds(3)))
    network.start(host)
  }

  private mutating func flapInterface(of host: Int) {
    network.handle(.link(isUp: false), at: host)
    network.run(for: random.duration(below: .seconds(2)))
    network.handle(.link(isUp: true), at: host)
  }

  private mutating func forgetPeer(of host: Int) {
    let peers = network.hosts[host].configuration.peers
    guard !peers.isEmpty else { return }
    let index = random.number(below: peers.count)
    network.reconfigure(host) { $0.peers.remove(at: index) }
    network.run(for: random.duration(below: .seconds(2)))
    network.reconfigure(host) { $0.peers.insert(peers[index], at: index) }
  }

  private mutating func partition() {
    var group: Set<Int> = []
    for host in network.hosts.indices where random.once(in: 2) { group.insert(host) }
    network.partition(group)
  }

  /// One direction becomes slower or faster, and what is under way is overtaken.
  private mutating func lengthen(_ edge: Edge) {
    network.links[.init(from: edge.a, to: edge.b)]?.delay = .milliseconds(1 + random.number(below: 120))
  }

  private mutating func lieForAWhile() {
    guard let liar else { return }
    for _ in 0..<random.number(below: 6) {
      liar.lie(in: network, using: &random)
      network.run(for: random.duration(below: .milliseconds(300)))
    }
  }
}
