import Babel
import Mesh
import Net
import Noise
import Simulation
import Testing

/// What operators are told about a network that changes.
@Suite struct SimulationSeeingTests {
  private func explain(_ network: SimulatedNetwork, _ host: Int, _ end: Int) throws -> Explanation {
    let daemon = try #require(network.hosts[host].daemon)
    return daemon.node.explain(network.hosts[end].addresses[1], at: network.now)
  }

  /// Applies what an observer was told to what it saw first.
  private func replay(_ changes: [TableChange], on rows: [TableRow]) -> [TableRow] {
    var rows = rows
    for change in changes {
      let index = rows.firstIndex { isSame($0, change.row) }
      switch (change.kind, index) {
      case (.add, nil): rows.append(change.row)
      case (.change, let index?):
        #expect(rows[index] != change.row, "a change of nothing")
        rows[index] = change.row
      case (.flush, let index?): rows.remove(at: index)
      default: Issue.record("\(change.kind) of \(index == nil ? "an unknown" : "a known") row")
      }
    }
    return rows
  }

  private func isSame(_ a: TableRow, _ b: TableRow) -> Bool {
    switch (a, b) {
    case (.interface, .interface): true
    case (.neighbour(let a), .neighbour(let b)): a.number == b.number
    case (.xroute(let a), .xroute(let b)): a.prefix == b.prefix
    case (.route(let a), .route(let b)): a.prefix == b.prefix && a.via?.number == b.via?.number
    default: false
    }
  }

  /// The rows without what only time changes: distances are forgotten, and smoothed metrics move.
  private func lasting(_ rows: [TableRow]) -> [TableRow] {
    rows.map { row in
      guard case .route(var route) = row else { return row }
      if case .unproven = route.verdict { route.verdict = .unseen }
      return .route(route)
    }
  }

  @Test(arguments: Seeds.first(4)) func whoIsToldEveryChangeKnowsTheTables(seed: UInt64) throws {
    let network = SimulationTests.ring(5, seed: seed)
    network.run(for: .milliseconds(100))
    let first = try network.hosts.map { host in
      let daemon = try #require(host.daemon)
      daemon.observe(at: network.now)
      return daemon.node.tableRows(at: network.now)
    }
    var random = SplitMix64(seed: seed)
    for _ in 0..<12 {
      let host = Int(random.next() % 5)
      switch random.next() % 4 {
      case 0: network.cut(host, (host + 1) % 5)
      case 1: network.healAll()
      case 2: network.reconfigure(host) { $0.interface.announce = [Configuration.Announcement(.defaultIPv6)] }
      default: network.reconfigure(host) { $0.interface.announce = [] }
      }
      network.run(for: .milliseconds(Int64(random.next() % 8000)))
    }
    for (host, rows) in zip(network.hosts, first) {
      let daemon = try #require(host.daemon)
      let told = replay(daemon.changes, on: rows)
      let now = daemon.node.tableRows(at: network.now)
      for row in lasting(now) where !lasting(told).contains(row) {
        Issue.record("not told of \(row), \(network.comment)")
      }
      #expect(told.count == now.count, network.comment)
    }
  }

  @Test func babelSwitchedOffFlushesEveryRowButTheInterface() throws {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(3))
    let daemon = try #require(network.hosts[1].daemon)
    let rows = daemon.node.tableRows(at: network.now)
    daemon.observe(at: network.now)
    network.reconfigure(1) { $0.interface.babel = false }
    let left = replay(daemon.changes, on: rows)
    #expect(left == daemon.node.tableRows(at: network.now) && left.count == 1)
  }

  @Test func aSwitchIsExplainedAfterwards() throws {
    let network = SimulationTests.ring(3)
    network.run(for: .seconds(5))
    let direct = network.hosts[1].publicKey
    let before = try explain(network, 0, 1)
    #expect(before.target == .peer(direct) && before.basis == .selected)
    #expect(before.routes.map(\.state.rawValue).sorted() == ["alternative", "selected"])
    network.cut(0, 1)
    network.run(for: .seconds(10))
    let after = try explain(network, 0, 1)
    #expect(after.target == .peer(network.hosts[2].publicKey) && after.basis == .selected)
    #expect(after.switches.prefix(2).map(\.reason) == [.routing(.found), .routing(.linkDown)])
    #expect(after.switches[1].former == direct && after.switches[1].current == nil)
  }

  @Test func theSourceCheckIsExplained() throws {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(3))
    let middle = try explain(network, 1, 0)
    let verdicts = Dictionary(uniqueKeysWithValues: middle.peers.map { ($0.publicKey, $0.refusal) })
    // Both announce the prefix to the middle: one has it, the other has it from here.
    #expect(verdicts[network.hosts[0].publicKey] == .some(nil))
    let own = try explain(network, 1, 1)
    #expect(own.target == .local && own.peers.allSatisfy { $0.refusal == .martianSource })
  }

  @Test func aRemovedPeerIsNamedInTheRecord() throws {
    let network = SimulationTests.ring(3)
    network.run(for: .seconds(5))
    let removed = network.hosts[1].publicKey
    network.reconfigure(0) { $0.peers.removeAll { $0.publicKey == removed } }
    let record = try #require(try explain(network, 0, 1).switches.first { $0.former == removed })
    #expect(record.reason == .routing(.removed))
  }

  @Test func withoutBabelTheOwnerIsTheReason() throws {
    let network = SimulatedNetwork(hostCount: 2, seed: Seeds.one)
    network.connect(0, 1)
    for host in 0..<2 { network.configure(host) { $0.interface.babel = false } }
    network.start()
    let explanation = try explain(network, 0, 1)
    #expect(explanation.target == .peer(network.hosts[1].publicKey) && explanation.basis == .owner)
    #expect(explanation.switches.map(\.reason) == [.configuration])
    #expect(explanation.routes.isEmpty && explanation.hold == nil)
  }
}
