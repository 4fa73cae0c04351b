import Mesh
import Net

// Packets through a network at rest.
extension Scenario {
  private struct Passage {
    var start: Int
    /// Where it may arrive.
    var ends: [Int]
    var packet: [UInt8]
    var isExpected: Bool
  }

  /// Sends packets from some hosts to others and to what is announced, and tells in words which of them did not arrive once,
  /// which arrived where there is no way, and whether any was dropped for its source.
  mutating func traffic() -> [String] {
    let passages = (0..<Self.passageCount).compactMap { passage($0) }
    let refusals = network.sourceRefusals
    let before = network.hosts.map(\.deliveries.count)
    for passage in passages { network.send(passage.packet, from: passage.start) }
    network.run(for: .seconds(1) + .milliseconds(250) * network.hosts.count)
    var found: [String] = []
    for passage in passages {
      let arrivals = passage.ends.map { end in
        network.hosts[end].packets[before[end]...].count {
          $0.suffix(Self.markLength) == passage.packet.suffix(Self.markLength)
        }
      }
      guard arrivals.reduce(0, +) != (passage.isExpected ? 1 : 0) else { continue }
      let destination = IPHeader(reading: passage.packet.span.bytes)?.destination
      found.append(
        "\(passage.start) to \(destination.map(\.description) ?? "nobody") at \(passage.ends): "
          + "arrived \(arrivals) times, \(passage.isExpected ? "has a way" : "has none")")
    }
    if network.sourceRefusals != refusals {
      found.append("\(network.sourceRefusals - refusals) packets dropped for their source at rest")
    }
    return found
  }

  private static let passageCount = 48
  private static let markLength = 8

  private mutating func passage(_ number: Int) -> Passage? {
    let start = random.number(below: network.hosts.count)
    guard network.hosts[start].daemon != nil else { return nil }
    let mark = (0..<Self.markLength as Range<Int>).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let ends: [Int]
    let target: IPAddress
    if number % 4 == 0, !announced.isEmpty {
      let prefix = random.pick(announced)
      (ends, target) = (prefix.hosts, prefix.target)
    } else {
      let end = random.number(below: network.hosts.count)
      (ends, target) = ([end], random.pick(network.hosts[end].addresses))
    }
    guard !ends.contains(start) else { return nil }
    let hasWay = ends.contains { network.distances(to: $0)[start] != nil }
    // A peer without a route gets packets as in plain WireGuard, and where a shorter prefix leads there may be such a peer.
    let isCovered = announced.contains { $0.target != target && $0.prefix.contains(target) }
    guard hasWay || !isCovered && !ends.contains(where: { network.arePeers(start, $0) }) else { return nil }
    let source = network.hosts[start].addresses[target.family == .v4 ? 0 : 1]
    return Passage(
      start: start, ends: ends, packet: TestPacket.make(from: "\(source)", to: "\(target)", payload: mark),
      isExpected: hasWay)
  }
}
