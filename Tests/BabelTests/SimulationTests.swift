import Foundation
import Net
import Testing

@testable import Babel

/// Whole networks on a virtual clock; loops and feasibility are checked after every change of a route.
@Suite struct SimulationTests {
  /// `MESHD_SEED=n` replays one seed, `MESHD_SEEDS=n` runs that many.
  static let seeds: Range<UInt64> = {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["MESHD_SEED"].flatMap(UInt64.init) { return seed..<seed + 1 }
    return 0..<(environment["MESHD_SEEDS"].flatMap(UInt64.init) ?? 8)
  }()

  @Test func chainConvergesWithinASecond() {
    var network = VirtualNetwork(count: 5, seed: 1)
    for node in 0..<4 { network.connect(node, node + 1) }
    network.run(for: .seconds(1))
    network.expectConverged()
  }

  @Test func starConvergesWithinASecond() {
    var network = VirtualNetwork(count: 8, seed: 2)
    for leaf in 1..<8 { network.connect(0, leaf) }
    network.run(for: .seconds(1))
    network.expectConverged()
  }

  @Test func ringSurvivesACutAndTakesTheDirectPathAgain() {
    var network = VirtualNetwork(count: 4, seed: 3)
    for node in 0..<4 { network.connect(node, (node + 1) % 4) }
    network.run(for: .seconds(5))
    network.expectConverged()
    network.cut(0, 1)
    // Two of three Hellos are missed after 2.5 s, then the news travels.
    network.run(for: .seconds(4))
    #expect(network.metric(0, to: 1) == 288)
    #expect(network.metric(1, to: 0) == 288)
    network.heal(0, 1)
    network.run(for: .seconds(60))
    network.expectConverged()
  }

  @Test func partitionIsUnreachableAndHealsCompletely() {
    var network = VirtualNetwork(count: 6, seed: 4)
    for node in 0..<5 { network.connect(node, node + 1) }
    network.run(for: .seconds(3))
    network.cut(2, 3)
    network.run(for: .seconds(6))
    network.expectConverged()
    #expect(network.speakers[0].route(for: VirtualNetwork.prefix(5)).state != .local)
    network.heal(2, 3)
    network.run(for: .seconds(10))
    network.expectConverged()
  }

  @Test(arguments: seeds)
  func randomGraphsConvergeToShortestPathsAfterCutsAndLoss(seed: UInt64) {
    var random = SplitMix64(seed: seed &* 7919 &+ 17)
    let count = 4 + Int(random.next() % 7)
    var timing = Timing()
    timing.update = .seconds(5)
    timing.meshUpdate = .seconds(5)
    var network = VirtualNetwork(count: count, seed: seed, timing: timing)
    var edges: [(Int, Int)] = []
    for node in 1..<count { edges.append((Int(random.next() % UInt64(node)), node)) }
    for _ in 0..<count {
      let (a, b) = (Int(random.next() % UInt64(count)), Int(random.next() % UInt64(count)))
      if a != b, !edges.contains(where: { ($0 == a && $1 == b) || ($0 == b && $1 == a) }) {
        edges.append((a, b))
      }
    }
    for (a, b) in edges {
      network.connect(
        a, b, cost: UInt16(50 + random.next() % 400), back: UInt16(50 + random.next() % 400),
        delay: .milliseconds(Int(1 + random.next() % 80)))
    }
    network.setLoss(0.05)
    network.run(for: .seconds(5))
    for _ in 0..<6 {
      let (a, b) = edges[Int(random.next() % UInt64(edges.count))]
      network.cut(a, b)
      network.run(for: .milliseconds(Int(500 + random.next() % 5000)))
      if random.next() % 2 == 0 {
        network.heal(a, b)
        network.run(for: .milliseconds(Int(random.next() % 5000)))
      }
    }
    network.setLoss(0)
    network.run(for: .seconds(45))
    network.expectConverged()
    for (a, b) in edges { network.heal(a, b) }
    network.run(for: .seconds(45))
    network.expectConverged()
    #expect(network.loopChecks > 0)
  }

  @Test func sameSeedGivesTheSameRun() {
    func run() -> Int {
      var network = VirtualNetwork(count: 5, seed: 9)
      for node in 0..<5 { network.connect(node, (node + 1) % 5) }
      network.setLoss(0.2)
      network.run(for: .seconds(30))
      return network.sentPackets
    }
    #expect(run() == run())
  }
}
