import Net
import Testing

@testable import Babel

/// Why a route is not the one in use, and why the one in use was changed.
@Suite struct VerdictTests {
  private func verdicts(_ station: Station) -> [RouteVerdict] {
    station.speaker.routes(to: RouteKey(Station.prefix), at: station.now).map(\.verdict)
  }

  private func reasons(_ station: inout Station) -> [RouteSwitch.Reason] {
    defer { station.switches = [] }
    return station.switches.map(\.reason)
  }

  @Test func aWorseRouteIsWorseByTheDifference() {
    var station = Station()
    station.join(1)
    station.join(2, cost: 150)
    station.receive([Station.update(10)], from: 1)
    station.receive([Station.update(20)], from: 2)
    #expect(verdicts(station) == [.selected, .worse(by: Metric(64))])
  }

  @Test func aTieIsWorseByNothing() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(10)], from: 2)
    station.receive([Station.update(10)], from: 1)
    #expect(verdicts(station) == [.worse(by: .zero), .selected])
  }

  @Test func anUnfeasibleRouteTellsTheDistanceItMustStayBelow() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(0)], from: 1)
    station.run(for: .seconds(1))
    station.receive([Station.update(96)], from: 2)
    #expect(verdicts(station) == [.selected, .unfeasible(seqno: Seqno(10), distance: Metric(96))])
  }

  @Test func aRouteOverADeadLinkIsDown() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(0)], from: 1)
    station.receive([Station.update(0)], from: 2)
    #expect(reasons(&station) == [.found])
    station.speaker.linkDown(Station.id(1), at: station.now)
    station.drain()
    #expect(verdicts(station) == [.linkDown, .selected])
    #expect(station.switches.first?.former == Station.id(1))
    #expect(station.switches.first?.formerMetric == .infinity)
    #expect(station.switches.first?.metric == Metric(96))
    #expect(reasons(&station) == [.linkDown])
  }

  @Test func aBetterRouteMustProveItselfAndThenWins() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(300)], from: 1)
    station.run(for: .seconds(60))
    station.receive([Station.update(250)], from: 2)
    guard case .unproven(let smoothed, let bound) = verdicts(station).last else {
      Issue.record("not held back: \(verdicts(station))")
      return
    }
    #expect(smoothed == Metric(519) && bound == Metric(396))
    _ = reasons(&station)
    station.run(for: .seconds(30))
    #expect(verdicts(station) == [.worse(by: Metric(50)), .selected])
    #expect(reasons(&station) == [.better])
  }

  @Test func everyLossHasItsReason() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(0)], from: 1)
    station.receive([Station.retraction()], from: 1)
    #expect(reasons(&station) == [.found, .retracted])
    station.acknowledgeAll(from: 1)
    station.run(for: .seconds(90))
    #expect(reasons(&station) == [.released])
    station.receive([Station.update(0, seqno: 11, interval: Interval(centiseconds: 100))], from: 1)
    station.run(for: .seconds(10))
    #expect(reasons(&station).prefix(2) == [.found, .expired])
    station.receive([Station.update(0, seqno: 12)], from: 1)
    station.speaker.updateNeighbour(
      Station.id(1), NeighbourSettings(ourLinkLocal: Station.linkLocal, accept: []), at: station.now)
    station.drain()
    #expect(reasons(&station).suffix(2) == [.found, .filtered])
    station.speaker.originate(Station.prefix, at: station.now)
    station.speaker.withdraw(Station.prefix, at: station.now)
    station.drain()
    #expect(reasons(&station).suffix(2) == [.originated, .withdrawn])
  }

  @Test func aRemovedNeighbourIsTheReason() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(0)], from: 1)
    _ = reasons(&station)
    station.speaker.removeNeighbour(Station.id(1), at: station.now)
    station.drain()
    #expect(reasons(&station) == [.removed])
  }

  @Test func ourOwnAndHeldPrefixesAreNoRoutesOfNeighbours() {
    var station = Station()
    station.join(1)
    station.speaker.originate(Station.prefix, metric: Metric(7), at: station.now)
    #expect(verdicts(station) == [.local])
    #expect(station.speaker.originated == [RouteKey(Station.prefix)])
    station.speaker.withdraw(Station.prefix, at: station.now)
    #expect(verdicts(station) == [.held])
    #expect(station.speaker.hold(on: RouteKey(Station.prefix))?.waiting == [Station.id(1)])
  }

  @Test func whatIsTouchedIsNotedOnlyForAnObserver() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(0)], from: 1)
    #expect(station.speaker.takeTouched().keys.isEmpty)
    station.speaker.isObserved = true
    station.receive([Station.update(5)], from: 1)
    let touched = station.speaker.takeTouched()
    #expect(touched.keys == [RouteKey(Station.prefix)] && touched.neighbours == [Station.id(1)])
    #expect(station.speaker.takeTouched().keys.isEmpty)
  }
}
