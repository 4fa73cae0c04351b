import Net
import Testing

@testable import Babel

/// Numbers that wrap, saturate and promise.
@Suite struct ValueTests {
  @Test func pitfall6SeqnosCompareOnACircle() {
    for anchor in [0, 1, 0x7FFF, 0x8000, 0xFFFF] as [UInt16] {
      for difference in 0...UInt16.max {
        let (a, b) = (Seqno(anchor &+ difference), Seqno(anchor))
        let isNewer = difference >= 1 && difference <= 0x7FFF
        let isOlder = difference >= 0x8001
        guard a.isNewer(than: b) == isNewer, b.isNewer(than: a) == isOlder,
          a.distance(from: b) == Int(Int16(bitPattern: difference))
        else {
          Issue.record("\(a) against \(b)")
          return
        }
      }
    }
    #expect(Seqno(.max).successor == Seqno(0))
  }

  @Test func pitfall28MetricsSaturate() {
    #expect(Metric(65534) + Metric(96) == .infinity)
    #expect(Metric.infinity + Metric(0) == .infinity)
    #expect(Metric(65438) + Metric(96) == Metric(65534))
  }

  @Test func intervalsAreNeverShorterThanPromised() {
    #expect(Interval(.milliseconds(1001)) == Interval(centiseconds: 101))
    #expect(Interval(.seconds(20)) == Interval(centiseconds: 2000))
    #expect(Interval(.zero) == Interval(centiseconds: 1))
    #expect(Interval(.seconds(10_000)) == Interval(centiseconds: .max))
  }

  @Test func reservedRouterIDsAreRefused() {
    #expect(RouterID(0) == nil)
    #expect(RouterID(.max) == nil)
    #expect(RouterID.test(0xA1).description == "00:00:00:00:00:00:00:a1")
  }

  @Test(arguments: [
    ("fe80::/10", true), ("fe80::1/128", true), ("ff02::/16", true), ("::/128", true), ("::1/128", true),
    ("127.0.0.0/8", true), ("127.0.0.1/32", true), ("0.0.0.0/8", true), ("0.0.0.0/32", true),
    ("224.0.0.0/4", true), ("239.1.2.3/32", true), ("255.255.255.255/32", true), ("::/0", false),
    ("0.0.0.0/0", false), ("0.0.0.0/1", false), ("fd00::/8", false), ("10.0.0.0/8", false), ("::/1", false),
  ])
  func martiansAreKnown(prefix: String, isMartian: Bool) {
    #expect(IPPrefix.test(prefix).isMartian == isMartian)
  }
}

/// The feasibility condition (RFC 8966 §3.5.1) and what keeps it.
@Suite struct SourceTableTests {
  let key = RouteKey(Station.prefix)
  let now = Instant(nanoseconds: 5)

  @Test(arguments: [
    (11, 500, true), (11, 99, true), (10, 99, true), (10, 100, false), (10, 101, false), (9, 1, false),
    (9, 0, false), (32778, 0, false),
  ])
  func onlyStrictlyBetterRoutesAreFeasible(seqno: UInt16, metric: UInt16, isFeasible: Bool) {
    var table = SourceTable(lifetime: .seconds(1200), capacity: 10)
    #expect(table.isFeasible(key, Station.origin, seqno: Seqno(seqno), metric: Metric(metric), at: now))
    let isRecorded = table.record(key, Station.origin, seqno: Seqno(10), metric: Metric(100), at: now)
    #expect(isRecorded)
    #expect(
      table.isFeasible(key, Station.origin, seqno: Seqno(seqno), metric: Metric(metric), at: now)
        == isFeasible)
    #expect(table.isFeasible(key, Station.other, seqno: Seqno(seqno), metric: Metric(metric), at: now))
  }

  @Test func distancesOnlyImproveUntilTheyAreForgotten() {
    var table = SourceTable(lifetime: .seconds(1200), capacity: 10)
    _ = table.record(key, Station.origin, seqno: Seqno(10), metric: Metric(100), at: now)
    _ = table.record(key, Station.origin, seqno: Seqno(10), metric: Metric(200), at: now)
    _ = table.record(key, Station.origin, seqno: Seqno(9), metric: Metric(1), at: now)
    #expect(
      table.distance(key, Station.origin, at: now)
        == FeasibilityDistance(seqno: Seqno(10), metric: Metric(100)))
    _ = table.record(key, Station.origin, seqno: Seqno(11), metric: Metric(300), at: now)
    #expect(
      table.distance(key, Station.origin, at: now)
        == FeasibilityDistance(seqno: Seqno(11), metric: Metric(300)))
    let late = now.advanced(by: .seconds(1200))
    #expect(table.distance(key, Station.origin, at: late) == nil)
    table.sweep(at: late)
    #expect(table.count == 0)
  }

  @Test func fullTableRefusesNewSources() {
    var table = SourceTable(lifetime: .seconds(1200), capacity: 1)
    let first = table.record(key, Station.origin, seqno: Seqno(1), metric: Metric(1), at: now)
    let second = table.record(key, Station.other, seqno: Seqno(1), metric: Metric(1), at: now)
    #expect(first && !second)
  }
}

/// Which Hellos arrived (RFC 8966 appendix A.1).
@Suite struct HelloHistoryTests {
  let start = Instant(nanoseconds: 1_000_000_000)
  let second = Interval(centiseconds: 100)

  private func history(_ seqnos: [UInt16]) -> HelloHistory {
    var history = HelloHistory()
    for seqno in seqnos { _ = history.receive(Hello(seqno: Seqno(seqno), interval: second), at: start) }
    return history
  }

  @Test func twoOfTheLastThreeMakeALinkUsable() {
    #expect(!history([1]).isUsable)
    #expect(history([1, 2]).isUsable)
    #expect(history([1, 3]).isUsable)
    #expect(!history([1, 4]).isUsable)
    #expect(history([65535, 0]).isUsable)
  }

  @Test func missedHellosCountAfterOneAndAHalfIntervalsAndThenEachInterval() {
    var history = history([1, 2, 3])
    history.expire(at: start.advanced(by: .milliseconds(1499)))
    #expect(history.bits == 0xE000)
    history.expire(at: start.advanced(by: .milliseconds(1500)))
    #expect(history.bits == 0x7000)
    history.expire(at: start.advanced(by: .milliseconds(2500)))
    #expect(history.bits == 0x3800)
    #expect(!history.isUsable)
    history.expire(at: start.advanced(by: .seconds(60)))
    #expect(history.bits == 0)
    #expect(history.deadline == .distantFuture)
  }

  @Test func lateHelloTakesItsMissBack() {
    var history = history([1, 2, 3])
    history.expire(at: start.advanced(by: .milliseconds(1600)))
    _ = history.receive(Hello(seqno: Seqno(4), interval: second), at: start.advanced(by: .milliseconds(1700)))
    #expect(history.bits == 0xF000)
    #expect(history.expected == Seqno(5))
  }

  @Test func lostHellosLeaveGaps() {
    #expect(history([1, 2, 5]).bits == 0b1001_1000_0000_0000)
  }

  @Test func pitfall3UnscheduledHelloKeepsTheOldPromise() {
    var history = history([1, 2])
    let deadline = history.deadline
    _ = history.receive(Hello(seqno: Seqno(3), interval: .zero), at: start.advanced(by: .seconds(1)))
    #expect(history.deadline == deadline)
    #expect(history.bits == 0xE000)
    var fresh = HelloHistory()
    _ = fresh.receive(Hello(seqno: Seqno(3), interval: .zero), at: start)
    #expect(fresh.deadline == .distantFuture)
  }

  @Test func numberOutOfLineMeansARestart() {
    var history = history([1, 2, 3])
    let far = history.receive(Hello(seqno: Seqno(4 + 17), interval: second), at: start)
    #expect(far == .restarted)
    #expect(history.bits == 0x8000)
    let near = history.receive(Hello(seqno: Seqno(22 + 16), interval: second), at: start)
    #expect(near == .continues)
  }

  @Test func changedIntervalCountsFromTheHelloThatAnnouncesIt() {
    var history = history([1, 2])
    _ = history.receive(Hello(seqno: Seqno(3), interval: Interval(centiseconds: 400)), at: start)
    #expect(history.deadline == start.advanced(by: .seconds(6)))
  }
}
