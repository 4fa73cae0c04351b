import Net
import Testing

@testable import Mesh

/// A path that carries what is small enough, loses some of it, and tells of the rest or not.
private struct SimulatedPath {
  var machine: PathMTU
  /// The largest plaintext that passes.
  var size: Int
  var loss = 0.0
  /// Whether a router says why it drops a packet.
  var isTold = false
  var now = Instant(nanoseconds: 1_000_000_000)
  private(set) var probes: [Int] = []
  private var answers: [(at: Instant, size: Int, passed: Bool)] = []
  private var random: SplitMix64

  static let roundTrip = Duration.milliseconds(40)

  init(_ machine: PathMTU, size: Int, seed: UInt64 = 1) {
    self.machine = machine
    self.size = size
    random = SplitMix64(seed: seed)
  }

  /// Lets time pass, in which the machine has its way.
  mutating func run(for duration: Duration) {
    let end = now.advanced(by: duration)
    while true {
      while let probe = machine.probe(at: now, roundTrip: Self.roundTrip) {
        probes.append(probe)
        let isLost = Double.random(in: 0..<1, using: &random) < loss
        guard !isLost, probe <= size || isTold else { continue }
        answers.append((now.advanced(by: Self.roundTrip), probe, probe <= size))
      }
      let next = min(machine.nextDeadline, answers.first?.at ?? .distantFuture)
      precondition(next > now, "a deadline that has passed is a busy loop")
      guard next <= end else { break }
      now = next
      while let answer = answers.first, answer.at <= now {
        answers.removeFirst()
        if answer.passed {
          machine.acknowledged(answer.size, at: now)
        } else {
          machine.refused(mtu: size + PathMTU.overhead(over: .v4), at: now)
        }
      }
    }
    now = end
  }

  /// What was probed since the last call.
  mutating func takeProbes() -> [Int] {
    defer { probes = [] }
    return probes
  }
}

@Suite struct PathMTUTests {
  private static let ceiling = 1440

  /// A path over Ethernet and IPv4 that has found its size.
  private static func settled(at size: Int) -> SimulatedPath {
    var path = SimulatedPath(PathMTU(ceiling: ceiling, over: .v4), size: size)
    path.run(for: .seconds(50))
    #expect(!path.machine.isSearching)
    _ = path.takeProbes()
    return path
  }

  @Test func ordinaryPathTakesOneProbe() {
    var path = SimulatedPath(PathMTU(ceiling: Self.ceiling, over: .v4), size: 1440)
    #expect(path.machine.nextDeadline <= path.now && path.machine.isSearching)
    path.run(for: .milliseconds(50))
    #expect(path.probes == [1440] && path.machine.confirmed == 1440 && !path.machine.isSearching)
    #expect(path.machine.nextDeadline == path.now.advanced(by: .seconds(10) - .milliseconds(10)))
  }

  @Test(arguments: [(1500, 1440), (1492, 1432), (1480, 1420), (1400, 1340), (1280, 1220)])
  func sizesThatNetworksHaveAreFoundWithinASecondAndATurn(outer: Int, inner: Int) {
    #expect(outer - PathMTU.overhead(over: .v4) == inner)
    var path = SimulatedPath(PathMTU(ceiling: Self.ceiling, over: .v4), size: inner)
    path.run(for: .milliseconds(1050))
    #expect(path.machine.confirmed == inner)
  }

  @Test func overIPv6TheHeaderIsLonger() {
    #expect(PathMTU.overhead(over: .v4) == 60 && PathMTU.overhead(over: .v6) == 80)
    var path = SimulatedPath(PathMTU(ceiling: 1420, over: .v6), size: 1200)
    path.run(for: .milliseconds(1050))
    #expect(path.machine.confirmed == 1200)
    #expect(path.probes == [1420, 1420, 1412, 1400, 1320, 1200])
  }

  @Test(arguments: [1200, 1220, 1221, 1300, 1339, 1341, 1420, 1431, 1433, 1439, 1440, 4000, 8000, 8940])
  func everySizeIsFoundToWithinEightOctets(size: Int) throws {
    let isLong = size > Self.ceiling
    var path = SimulatedPath(PathMTU(ceiling: isLong ? 8940 : Self.ceiling, over: .v4), size: size)
    path.run(for: .seconds(50))
    guard size >= 1220 else {
      #expect(path.machine.confirmed == nil && !path.machine.isSearching)
      return
    }
    let confirmed = try #require(path.machine.confirmed)
    #expect(confirmed <= size && confirmed > size - 8, "\(confirmed)")
  }

  @Test func sizeCountsAsTooBigOnlyAfterThreeProbes() {
    var machine = PathMTU(ceiling: 1440, over: .v4)
    var now = Instant(nanoseconds: 1_000_000_000)
    var counts: [Int: Int] = [:]
    for _ in 0..<4 {
      while let size = machine.probe(at: now, roundTrip: .milliseconds(900)) { counts[size, default: 0] += 1 }
      #expect(machine.isSearching)
      // Not before three round trips have passed.
      #expect(machine.nextDeadline == now.advanced(by: .milliseconds(2700)))
      now = machine.nextDeadline
    }
    #expect(counts == [1440: 4, 1432: 3, 1420: 3, 1340: 3, 1220: 3])
    #expect(machine.probe(at: now, roundTrip: .zero) == nil)
    #expect(machine.confirmed == nil && !machine.isSearching)
  }

  @Test func answerIsWaitedForAtLeastASecond() {
    var machine = PathMTU(ceiling: 1440, over: .v4)
    let now = Instant(nanoseconds: 1_000_000_000)
    #expect(machine.probe(at: now, roundTrip: .microseconds(200)) == 1440)
    #expect(machine.nextDeadline == now.advanced(by: .seconds(1)))
    #expect(machine.probe(at: now.advanced(by: .milliseconds(999)), roundTrip: .microseconds(200)) == nil)
  }

  @Test func lateAnswerIsBelievedAll() {
    var path = SimulatedPath(PathMTU(ceiling: Self.ceiling, over: .v4), size: 1300)
    path.run(for: .seconds(20))
    #expect(!path.machine.isSearching)
    path.machine.acknowledged(1440, at: path.now)
    #expect(path.machine.confirmed == 1440)
    path.machine.acknowledged(1441, at: path.now)
    #expect(path.machine.confirmed == 1440)
  }

  @Test func ceilingBelowAllKnownSizesIsTheOnlyOneProbed() {
    var path = SimulatedPath(PathMTU(ceiling: 1000, over: .v4), size: 1440)
    path.run(for: .seconds(10))
    #expect(path.probes == [1000] && path.machine.confirmed == 1000)
  }

  @Test func pathWithoutTrafficIsLeftAloneOnceItsSizeIsKnown() {
    var path = Self.settled(at: 1340)
    path.machine.carriesTraffic = false
    #expect(path.machine.nextDeadline == .distantFuture)
    path.run(for: .seconds(3600))
    #expect(path.probes.isEmpty)
    path.machine.carriesTraffic = true
    #expect(path.machine.nextDeadline <= path.now)
  }

  @Test func confirmationCostsOneProbeInTenSecondsAndARaiseThree() {
    var path = Self.settled(at: 1340)
    path.run(for: .seconds(500))
    #expect(path.probes.allSatisfy { $0 == 1340 } && (48...50).contains(path.takeProbes().count))
    path.run(for: .seconds(300))
    #expect(path.probes.filter { $0 == 1348 }.count == 3)
    #expect(path.probes.allSatisfy { [1340, 1348].contains($0) } && path.machine.confirmed == 1340)
  }

  @Test func growthIsFoundWithinTenMinutesAndAMinute() {
    var path = Self.settled(at: 1220)
    path.size = 1432
    path.run(for: .seconds(670))
    #expect(path.machine.confirmed == 1432)
  }

  @Test func blackHoleIsFoundByTheNextConfirmation() {
    var path = Self.settled(at: 1440)
    path.size = 1220
    path.run(for: .seconds(16))
    #expect(path.machine.confirmed == 1220)
  }

  @Test func suspicionIsLookedIntoAtOnce() throws {
    var path = Self.settled(at: 1440)
    path.size = 1300
    path.machine.suspect()
    #expect(path.machine.nextDeadline <= path.now)
    path.run(for: .milliseconds(3900))
    // What passed before is relied on until three more probes were lost, as any one of them may be.
    #expect(path.machine.confirmed == 1440)
    path.run(for: .seconds(16))
    let confirmed = try #require(path.machine.confirmed)
    #expect(confirmed <= 1300 && confirmed > 1292)
  }

  @Test func suspicionWithoutReasonCostsOneProbeASecond() {
    var path = Self.settled(at: 1440)
    for _ in 0..<100 {
      path.machine.suspect()
      path.run(for: .milliseconds(100))
    }
    #expect(path.probes.count <= 10 && path.probes.allSatisfy { $0 == 1440 })
  }

  @Test func deadPathThatLivesAgainIsSearchedAtOnce() {
    var path = SimulatedPath(PathMTU(ceiling: Self.ceiling, over: .v4), size: 0)
    path.run(for: .seconds(10))
    #expect(path.machine.confirmed == nil && !path.machine.isSearching)
    path.size = 1440
    path.machine.suspect()
    path.run(for: .milliseconds(50))
    #expect(path.machine.confirmed == 1440)
  }

  @Test(arguments: [1239, 1240, 1301, 1377, 1400])
  func whatARouterSaysIsProbedAtOnce(size: Int) {
    var path = SimulatedPath(PathMTU(ceiling: Self.ceiling, over: .v4), size: size)
    path.isTold = true
    path.run(for: .milliseconds(100))
    #expect(path.machine.confirmed == size)
    #expect(path.probes == [1440, size + 8, size] + [1340, 1220].filter { $0 < size })
    // The sizes above it have their three tries, and then no more is to be found.
    path.run(for: .seconds(4))
    #expect(path.machine.confirmed == size && !path.machine.isSearching)
  }

  @Test func shrinkingPathThatTellsIsFollowedInFourSeconds() {
    var path = Self.settled(at: 1440)
    path.size = 1377
    path.isTold = true
    path.machine.refused(mtu: 1377 + 60, at: path.now)
    path.run(for: .seconds(4))
    #expect(path.machine.confirmed == 1377)
  }

  @Test(arguments: [68, 576, 1279, 1280, 1300, 1499, 1500, 9000, 65535, 0, -1])
  func forgedErrorsNeverShrinkAPath(mtu: Int) {
    var path = Self.settled(at: 1440)
    for _ in 0..<100 {
      path.machine.refused(mtu: mtu, at: path.now)
      path.run(for: .milliseconds(70))
      #expect(path.machine.confirmed == 1440)
    }
    #expect(path.probes.count <= 7 * 7)
    path.machine.carriesTraffic = false
    path.run(for: .seconds(60))
    #expect(path.machine.confirmed == 1440 && !path.machine.isSearching)
  }

  @Test(arguments: [68, 1240, 1300, 1450, 1500, 9000])
  func forgedErrorsDuringTheSearchOnlyAddProbes(mtu: Int) throws {
    var path = SimulatedPath(PathMTU(ceiling: Self.ceiling, over: .v4), size: 1401)
    for _ in 0..<1000 {
      path.machine.refused(mtu: mtu, at: path.now)
      path.run(for: .milliseconds(50))
    }
    let confirmed = try #require(path.machine.confirmed)
    #expect(confirmed <= 1401 && confirmed > 1393)
  }

  /// Three phases of a path's life, each with a size of its own, and one packet in ten lost.
  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func sizeIsFollowedThroughLossAndChange(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let ceiling = seed % 3 == 0 ? 8940 : Self.ceiling
    var path = SimulatedPath(PathMTU(ceiling: ceiling, over: .v4), size: 0, seed: seed)
    path.loss = 0.1
    path.isTold = seed % 2 == 0
    for phase in 0..<3 {
      path.size = Int.random(in: 1220...ceiling, using: &random)
      // Enough for a black hole to be noticed and searched, but for chance; then for two raises.
      path.run(for: .seconds(180))
      #expect(path.machine.confirmed ?? 0 <= path.size, "seed \(seed), phase \(phase)")
      path.run(for: .seconds(1500))
      let confirmed = try #require(path.machine.confirmed, "seed \(seed), phase \(phase)")
      #expect(confirmed <= path.size && confirmed > path.size - 8, "seed \(seed), phase \(phase)")
    }
    #expect(path.probes.allSatisfy { (1220...ceiling).contains($0) })
    // Nine probes a minute, and what the searches took.
    #expect(path.probes.count < 84 * 9 + 3 * 150, "seed \(seed)")
  }
}
