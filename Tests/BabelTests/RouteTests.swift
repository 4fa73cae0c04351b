import Net
import Testing

@testable import Babel

/// Updates, selection, loss and hold.
@Suite struct RouteTests {
  @Test func pitfall8FeasibilityLooksAtTheNeighboursMetric() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(96)], from: 1)
    station.run(for: .seconds(1))
    // Our own link became much worse: the route's metric is above its feasibility distance, its reference is not.
    station.receive([station.ihu(900)], from: 1)
    #expect(station.nextHop == 1)
    #expect(station.speaker.routes(at: station.now).first?.isFeasible == true)
    // The other neighbour's reference equals the distance: not strictly better, however good its link.
    station.receive([Station.update(192)], from: 2)
    #expect(station.nextHop == 1)
  }

  @Test func pitfall7DistanceIsWrittenWithEveryFiniteUpdateSentAndNeverOnReception() {
    var station = Station()
    station.join(1)
    station.join(2)
    let key = RouteKey(Station.prefix)
    func distance() -> FeasibilityDistance? {
      station.speaker.sourceTable.distance(key, Station.origin, at: station.now)
    }
    station.receive([Station.update(500)], from: 1)
    #expect(distance() == nil)
    station.run(for: .milliseconds(20))
    #expect(distance() == FeasibilityDistance(seqno: Seqno(10), metric: Metric(596)))
    for neighbour in 1...2 { station.acknowledgeAll(from: neighbour) }
    // A small improvement is not announced, so it costs no distance, until somebody asks.
    station.receive([Station.update(450)], from: 1)
    station.run(for: .milliseconds(300))
    #expect(distance()?.metric == Metric(596))
    station.receive([.routeRequest(RouteRequest(prefix: Station.prefix))], from: 2)
    station.run(for: .milliseconds(20))
    #expect(distance()?.metric == Metric(546))
    // A retraction changes nothing.
    station.receive([Station.retraction()], from: 1)
    station.run(for: .seconds(5))
    #expect(distance()?.metric == Metric(546))
  }

  @Test func pitfall9SelectedRouteWithANewOriginIsLeftAtOnceIfUnfeasible() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(100, routerID: Station.other)], from: 2)
    station.run(for: .seconds(1))
    station.receive([Station.update(0)], from: 1)
    station.run(for: .seconds(10))
    #expect(station.nextHop == 1)
    // Neighbour 1 falls back to the other origin, by us: unfeasible.
    station.receive([Station.update(500, routerID: Station.other)], from: 1)
    #expect(station.nextHop == 2)
  }

  @Test func selectedRouteIgnoresAnUnfeasibleUpdateOfItsOriginAndAsksForANewerNumber() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(100)], from: 1)
    station.run(for: .seconds(1))
    station.sent = []
    station.receive([Station.update(400)], from: 1)
    #expect(
      station.state
        == .via(Station.id(1), metric: Metric(196), routerID: Station.origin, seqno: Seqno(10)))
    #expect(station.seqnoRequests.map(\.to) == [1])
    #expect(station.seqnoRequests.first?.request.seqno == Seqno(11))
    station.receive([Station.update(400, seqno: 11)], from: 1)
    #expect(
      station.state
        == .via(Station.id(1), metric: Metric(496), routerID: Station.origin, seqno: Seqno(11)))
  }

  @Test func pitfall23IgnoredUpdateDoesNotRenewTheRoute() {
    var station = Station()
    station.join(1)
    let second = Interval(centiseconds: 100)
    station.receive([Station.update(100, interval: second)], from: 1)
    for _ in 0..<4 {
      station.run(for: .seconds(1))
      station.receive([Station.update(400, interval: second)], from: 1)
    }
    // The old values are gone after 3.5 s. What came after that is a new, unfeasible route.
    #expect(station.nextHop == nil)
  }

  @Test func routeExpiresAfterThreeAndAHalfIntervalsAndIsAskedForBefore() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96, interval: Interval(centiseconds: 200))], from: 1)
    station.run(for: .milliseconds(4999))
    station.sent = []
    station.run(for: .milliseconds(1))
    #expect(station.sent.first?.messages == [.routeRequest(RouteRequest(prefix: Station.prefix))])
    #expect(station.sent.first?.isUnicast == true)
    station.run(for: .milliseconds(1999))
    #expect(station.nextHop == 1)
    station.run(for: .milliseconds(1))
    #expect(station.nextHop == nil)
  }

  @Test func pitfall11WildcardRetractionTakesBothFamilies() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(96), Station.update(96, prefix: .test("10.0.0.0/8"))], from: 1)
    station.receive([Station.update(96, prefix: .test("10.1.0.0/16"))], from: 2)
    station.receive([.wildcardRetraction], from: 1)
    #expect(station.nextHop == nil)
    #expect(
      station.speaker.routes(at: station.now).filter { $0.neighbour != nil }.map(\.prefix)
        == [.test("10.1.0.0/16")])
  }

  @Test func neighbourThatIsNotHeardStillHasALostPrefixHeld() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(96)], from: 1)
    station.run(for: .seconds(1))
    // We miss its Hellos; it may hear ours and follow our route.
    station.receive([.ihu(IHU(address: nil, rxcost: .infinity, interval: Station.long))], from: 2)
    station.receive([Station.retraction()], from: 1)
    station.run(for: .milliseconds(20))
    station.acknowledgeAll(from: 1)
    #expect(station.hold?.waiting == [Station.id(2)])
    station.sent = []
    station.receive([station.ihu(96)], from: 2)
    station.run(for: .milliseconds(50))
    #expect(station.metrics(to: 2).contains(.infinity))
    station.acknowledgeAll(from: 2)
    #expect(station.hold == nil)
  }

  @Test func retractedRouteInAnOvertakenPacketIsLost() {
    var station = Station()
    station.join(1)
    let other = IPPrefix.test("fd00::2/128")
    func late(_ opaque: UInt16, _ updates: TLV...) -> [TLV] {
      [.acknowledgmentRequest(opaque: opaque, interval: Station.long)] + updates
    }
    station.receive([Station.update(96)], from: 1)
    station.receive([Station.retraction()], from: 1)
    let both = late(7, Station.update(96), Station.update(96, prefix: other))
    station.receive(both, from: 1, isOvertaken: true)
    #expect(station.nextHop == nil)
    #expect(station.speaker.route(for: other).state != .none)
    // Its sender says it again if it still holds.
    station.receive(late(8, Station.update(96, prefix: other)), from: 1, isOvertaken: true)
    let acknowledgments = station.sent.flatMap(\.messages).filter { $0 == .acknowledgment(opaque: 7) }
    #expect(acknowledgments == [])
    #expect(station.sent.flatMap(\.messages).contains(.acknowledgment(opaque: 8)))
    station.receive(both, from: 1)
    #expect(station.nextHop == 1)
  }

  @Test func pitfall24NeighbourThatGoesIsReplacedThroughSelection() {
    var station = Station()
    station.join(1)
    station.join(2, cost: 100)
    station.receive([Station.update(96)], from: 1)
    station.receive([Station.update(96)], from: 2)
    #expect(station.nextHop == 1)
    station.perform { $0.removeNeighbour(Station.id(1), at: $1) }
    #expect(station.nextHop == 2)
  }

  @Test func pitfall33OwnPrefixIsNeverTakenFromOthers() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1)
    station.perform { $0.originate(Station.prefix, at: $1) }
    #expect(station.state == .local)
    station.receive([Station.update(0)], from: 1)
    #expect(station.speaker.route(for: Station.prefix) == RouteView(state: .local, announcers: []))
    #expect(station.speaker.neighbour(Station.id(1))?.routeCount == 0)
    station.sent = []
    station.perform { $0.withdraw(Station.prefix, at: $1) }
    #expect(station.state == .unreachable)
    #expect(station.sent.first?.messages == [.routeRequest(RouteRequest(prefix: Station.prefix))])
  }

  @Test func ownRouterIDInAnotherPrefixIsARetraction() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1)
    station.receive([Station.update(96, routerID: Station.routerID)], from: 1)
    #expect(station.nextHop == nil)
  }

  @Test func acceptFilterIsACeilingAndTakesEffectOnStoredRoutes() {
    var station = Station()
    station.join(1) { $0.accept = [.test("fd00::/64"), .test("10.0.0.0/8")] }
    station.receive(
      [
        Station.update(96), Station.update(96, prefix: .test("fd01::1/128")),
        Station.update(96, prefix: .test("::/0")), Station.update(96, prefix: .test("10.2.0.0/16")),
      ], from: 1)
    #expect(station.speaker.keys.map(\.prefix) == [.test("10.2.0.0/16"), Station.prefix])
    #expect(station.speaker.counters.refusals[.filtered] == 2)
    station.perform { speaker, now in
      let settings = NeighbourSettings(ourLinkLocal: Station.linkLocal, accept: [.test("10.0.0.0/8")])
      speaker.updateNeighbour(Station.id(1), settings, at: now)
    }
    #expect(station.nextHop == nil)
    #expect(station.speaker.route(for: .test("10.2.0.0/16")).state != .unreachable)
  }

  @Test func martiansAreDropped() {
    var station = Station()
    station.join(1)
    station.receive(
      [Station.update(96, prefix: .test("127.0.0.1/32")), Station.update(96, prefix: .test("fe80::/64"))],
      from: 1)
    #expect(station.speaker.keys.map(\.prefix) == [])
  }

  @Test func bothEncodingsOfAnIPv4PrefixAreOneRoute() {
    var station = Station()
    station.join(1)
    let prefix = IPPrefix.test("10.0.0.1/32")
    station.receive([Station.update(96, prefix: prefix)], from: 1)
    let viaIPv6 = Update(
      prefix: prefix, isIPv4ViaIPv6: true, routerID: Station.origin, nextHop: .v6(Station.address(1)),
      seqno: Seqno(10), metric: Metric(50), interval: Station.long)
    station.receive([.update(viaIPv6)], from: 1)
    #expect(station.speaker.routes(at: station.now).map(\.referenceMetric) == [Metric(50)])
    station.receive([Station.retraction(prefix)], from: 1)
    #expect(station.speaker.route(for: prefix).state == .unreachable)
  }

  @Test func betterRouteMustStayBetterForAWhile() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(400)], from: 1)
    station.run(for: .seconds(30))
    station.receive([Station.update(350)], from: 2)
    #expect(station.nextHop == 1)
    station.run(for: .seconds(1))
    #expect(station.nextHop == 1)
    station.run(for: .seconds(15))
    #expect(station.nextHop == 2)
  }

  @Test func muchBetterRouteAndLostRouteAreFollowedAtOnce() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(800)], from: 1)
    station.run(for: .seconds(30))
    station.receive([Station.update(96)], from: 2)
    #expect(station.nextHop == 2)
    // As long as nobody was told of the better route, the old one may still be used.
    var untold = station
    untold.receive([Station.retraction()], from: 2)
    #expect(untold.nextHop == 1)
    station.run(for: .milliseconds(250))
    station.receive([Station.retraction()], from: 2)
    #expect(station.nextHop == nil)
    station.receive([Station.update(700, seqno: 11)], from: 1)
    #expect(station.nextHop == 1)
  }

  @Test func pitfall16LostPrefixIsHeldUntilEveryNeighbourKnows() {
    var station = Station()
    for neighbour in 1...3 { station.join(neighbour) }
    station.receive([Station.update(96)], from: 1)
    station.run(for: .milliseconds(50))
    for neighbour in 1...3 { station.acknowledgeAll(from: neighbour) }
    station.sent = []
    station.receive([Station.retraction()], from: 1)
    #expect(station.hold?.waiting.count == 3)
    station.run(for: .milliseconds(20))
    for neighbour in 1...3 { #expect(station.metrics(to: neighbour) == [.infinity]) }
    station.acknowledgeAll(from: 1)
    station.acknowledgeAll(from: 2)
    #expect(station.state == .unreachable)
    station.acknowledgeAll(from: 3)
    #expect(station.hold == nil)
    // Neighbour 1 may still have packets from the prefix under way; then nothing is left.
    #expect(station.state == .none)
    #expect(station.speaker.route(for: Station.prefix).announcers == [Station.id(1)])
    station.run(for: .seconds(10))
    #expect(station.speaker.route(for: Station.prefix) == RouteView(state: .none, announcers: []))
    #expect(station.speaker.keys.map(\.prefix) == [])
  }

  @Test func holdEndsWithTheRouteLifetimeIfNobodyAcknowledges() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1)
    station.receive([Station.retraction()], from: 1)
    station.run(for: .milliseconds(69_900))
    #expect(station.state == .unreachable)
    station.run(for: .milliseconds(200))
    #expect(station.state == .none)
  }

  @Test func acknowledgmentOfAnEarlierRetractionDoesNotEndALaterHold() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1)
    station.receive([Station.retraction()], from: 1)
    station.run(for: .milliseconds(20))
    let early = station
    station.receive([Station.update(96, seqno: 11)], from: 1)
    station.run(for: .milliseconds(20))
    station.receive([Station.retraction()], from: 1)
    for case .acknowledgmentRequest(let opaque, _) in early.sent.flatMap(\.messages) {
      station.receive([.acknowledgment(opaque: opaque)], from: 1, isUnicast: true)
    }
    #expect(station.hold != nil)
  }

  @Test func announcersAreLiveRoutesFeasibleOrNotAndThoseOfTheLastTenSeconds() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(96)], from: 1)
    station.run(for: .seconds(1))
    station.changed = []
    station.receive([Station.update(5000)], from: 2)
    #expect(station.speaker.route(for: Station.prefix).announcers == [Station.id(1), Station.id(2)])
    #expect(station.changed == [Station.prefix])
    station.changed = []
    station.receive([Station.retraction()], from: 2)
    station.run(for: .milliseconds(9900))
    #expect(station.speaker.route(for: Station.prefix).announcers.count == 2)
    station.changed = []
    station.run(for: .milliseconds(200))
    #expect(station.speaker.route(for: Station.prefix).announcers == [Station.id(1)])
    #expect(station.changed == [Station.prefix])
  }

  @Test func routesOfOneNeighbourAreBounded() {
    var limits = Limits()
    limits.routesPerNeighbour = 3
    var station = Station(limits: limits)
    station.join(1)
    let prefixes = (1...5).map { IPPrefix.test("fd00::\($0)/128") }
    station.receive(prefixes.map { Station.update(96, prefix: $0) }, from: 1)
    #expect(station.speaker.keys.map(\.prefix).count == 3)
    #expect(station.speaker.counters.refusals[.overLimit] == 2)
    // A retracted prefix takes room as long as it has a row; announcing it again takes no more.
    station.receive([Station.retraction(prefixes[0]), Station.update(96, prefix: prefixes[4])], from: 1)
    #expect(station.speaker.neighbour(Station.id(1))?.routeCount == 2)
    station.receive([Station.update(96, seqno: 11, prefix: prefixes[0])], from: 1)
    #expect(station.speaker.neighbour(Station.id(1))?.routeCount == 3)
    station.receive([Station.retraction(prefixes[0])], from: 1)
    station.run(for: .seconds(11))
    station.receive([Station.update(96, prefix: prefixes[4])], from: 1)
    #expect(station.speaker.neighbour(Station.id(1))?.routeCount == 3)
  }
}
