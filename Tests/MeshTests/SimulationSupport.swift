import Foundation
import Mesh
import Net
import Simulation
import Testing

/// The seeds of random runs: `MESHD_SEED=n` replays one, `MESHD_SEEDS=n` runs that many.
enum Seeds {
  static func first(_ count: UInt64) -> Range<UInt64> {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["MESHD_SEED"].flatMap(UInt64.init) { return seed..<seed + 1 }
    return 0..<(environment["MESHD_SEEDS"].flatMap(UInt64.init) ?? count)
  }

  /// The first seeds, and those that once found something.
  static func first(_ count: UInt64, and found: UInt64...) -> [UInt64] {
    let first = Array(first(count))
    return first.count == 1 ? first : first + found
  }

  /// The seed of a run that is no random one.
  static var one: UInt64 { first(1).lowerBound }
}

extension SimulatedNetwork {
  /// Names the run in a failure.
  var comment: Comment { "MESHD_SEED=\(seed)" }

  /// Expects that no packet could ever have circled.
  func expectNoLoops(_ location: SourceLocation = #_sourceLocation) {
    #expect(violations == [], comment, sourceLocation: location)
  }

  /// Expects shortest paths between all hosts, and no route where there is no path.
  func expectConverged(_ location: SourceLocation = #_sourceLocation) {
    expectNoLoops(location)
    #expect(disagreements() == [], comment, sourceLocation: location)
  }

  /// Sends packets between all pairs in both families, and expects each to arrive as it was sent but for its hop limit,
  /// if and only if there is a path; nothing is dropped for its source.
  func expectTraffic(_ location: SourceLocation = #_sourceLocation) {
    let refusals = sourceRefusals
    for family in AddressFamily.allCases {
      for end in hosts.indices {
        let distances = distances(to: end)
        for start in hosts.indices where start != end {
          expectDelivery(from: start, to: end, family, distance: distances[start], location)
        }
      }
    }
    #expect(sourceRefusals == refusals, comment, sourceLocation: location)
    expectNoLoops(location)
  }

  private func expectDelivery(
    from start: Int, to end: Int, _ family: AddressFamily, distance: Int?, _ location: SourceLocation
  ) {
    let sent = packet(from: start, to: end, family, number: 64 * start + end)
    let hops = (way(from: start, to: end, family)?.count ?? 0) - 1
    let (before, sender) = (hosts[end].deliveries.count, hosts[start].deliveries.count)
    send(sent, from: start)
    run(until: now.advanced(by: .seconds(2))) { hosts[end].deliveries.count == before }
    let arrived = Array(hosts[end].packets[before...])
    guard distance != nil else {
      // A peer without a route gets packets as in plain WireGuard: they wait for a session, or take a link that works in
      // this direction only.
      guard !arePeers(start, end) else { return }
      #expect(arrived == [], "\(start) to \(end), \(comment)", sourceLocation: location)
      let answer = hosts[start].packets.dropFirst(sender).first
      #expect(
        answer.map { $0.isUnreachable(about: sent) } == true, "\(start) to \(end), \(comment)",
        sourceLocation: location)
      return
    }
    #expect(arrived == [sent.afterHops(hops - 1)], "\(start) to \(end), \(comment)", sourceLocation: location)
  }

  private func arePeers(_ a: Int, _ b: Int) -> Bool {
    hosts[a].configuration.peers.contains { $0.publicKey == hosts[b].publicKey }
  }
}

extension [UInt8] {
  /// The packet after `count` routers.
  func afterHops(_ count: Int) -> [UInt8] {
    var packet = self
    for _ in 0..<count {
      var span = packet.mutableSpan
      var bytes = span.mutableBytes
      bytes.decrementHopLimit()
    }
    return packet
  }

  /// Whether this is an ICMP destination unreachable that quotes `packet`.
  func isUnreachable(about packet: [UInt8]) -> Bool {
    guard let header = IPHeader(reading: span.bytes) else { return false }
    let type: UInt8 = header.source.family == .v4 ? 3 : 1
    let quoted = dropFirst(header.headerLength + 8).dropFirst(12).prefix(8)
    return count > header.headerLength && self[header.headerLength] == type
      && Array(quoted) == Array(packet.dropFirst(12).prefix(8))
  }
}
