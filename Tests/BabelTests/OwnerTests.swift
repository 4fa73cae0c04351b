import Net
import Testing

@testable import Babel

/// Prefixes with owners: whose updates count, and how many one neighbour may send.
@Suite struct OwnerTests {
  private func bind(_ station: inout Station, _ owners: PrefixOwner..., to prefix: IPPrefix = Station.prefix)
  {
    station.perform { $0.bind(prefix, to: owners, at: $1) }
  }

  private func refusals(_ station: Station, _ reason: UpdateRefusals.Reason) -> UInt64 {
    station.speaker.counters.refusals[reason]
  }

  @Test func onlyTheOwnersUpdatesCountWhoeverPassesThemOn() {
    var station = Station()
    station.join(1)
    station.join(2)
    bind(&station, PrefixOwner(routerIDs: [Station.origin]))
    station.receive([Station.update(0, routerID: Station.other)], from: 2)
    #expect(station.nextHop == nil && station.speaker.route(for: Station.prefix).announcers.isEmpty)
    #expect(refusals(station, .foreignOrigin) == 1)
    station.receive([Station.update(96)], from: 2)
    #expect(station.nextHop == 2)
    // Whatever numbers come with it, another origin moves nothing.
    for (metric, seqno) in [(0, 11), (0, 30000), (0, 65535), (1, 10)] {
      station.receive(
        [Station.update(UInt16(metric), seqno: UInt16(seqno), routerID: Station.other)], from: 1)
    }
    #expect(station.nextHop == 2)
    #expect(station.speaker.neighbour(Station.id(1))?.refusals[.foreignOrigin] == 4)
    // Another prefix is free, and retractions are never refused.
    station.receive([Station.update(0, routerID: Station.other, prefix: .test("fd00::2/128"))], from: 1)
    #expect(station.speaker.keys.map(\.prefix).count == 2)
    station.receive([Station.retraction()], from: 2)
    #expect(station.nextHop == nil)
  }

  @Test func routeForSomeSourcesIsNoWayAroundTheOwner() {
    var station = Station()
    station.join(1)
    station.join(2)
    bind(&station, PrefixOwner(routerIDs: [Station.origin]))
    let source = IPPrefix.test("fd02::/16")
    func stolen() -> RouteView.State {
      station.speaker.route(for: Station.prefix, source: source).state
    }
    station.receive([Station.update(0, routerID: Station.other, source: source)], from: 1)
    #expect(stolen() == .none && refusals(station, .foreignOrigin) == 1)
    // The owner may.
    station.receive([Station.update(96, source: source)], from: 2)
    #expect(stolen() != .none)
    // Who learns later whose it is looks at what is known again, and asks for what was refused.
    bind(&station, PrefixOwner(routerIDs: [Station.other]))
    #expect(stolen() == .unreachable)
    station.run(for: .seconds(1))
    let requests = station.sent.flatMap(\.messages).filter {
      $0 == .routeRequest(RouteRequest(prefix: Station.prefix, source: source))
    }
    #expect(!requests.isEmpty)
  }

  @Test func nobodyTakesAPartOfWhatWeOriginateButOfADefaultRoute() {
    var station = Station()
    station.join(1)
    let source = IPPrefix.test("fd02::/16")
    station.perform { speaker, now in
      for prefix in [Station.prefix, .defaultIPv6] { speaker.originate(prefix, at: now) }
    }
    for prefix in [Station.prefix, .defaultIPv6] {
      station.receive([Station.update(96, prefix: prefix, source: source)], from: 1)
    }
    #expect(station.speaker.route(for: Station.prefix, source: source).state == .none)
    #expect(station.speaker.route(for: .defaultIPv6, source: source).state != .none)
  }

  @Test func neighbourThatTurnsToAnotherOriginLosesItsRoute() {
    var station = Station()
    station.join(1)
    bind(&station, PrefixOwner(routerIDs: [Station.origin]))
    station.receive([Station.update(96)], from: 1)
    #expect(station.nextHop == 1)
    station.receive([Station.update(96, routerID: Station.other)], from: 1)
    #expect(station.nextHop == nil)
  }

  @Test func prefixWithTwoOwnersTakesEither() {
    var station = Station()
    station.join(1)
    station.join(2)
    bind(&station, PrefixOwner(routerIDs: [Station.origin]), PrefixOwner(routerIDs: [Station.other]))
    station.receive([Station.update(96)], from: 1)
    station.receive([Station.update(10, routerID: Station.other)], from: 2)
    station.run(for: .seconds(30))
    #expect(station.nextHop == 2)
    station.receive([Station.retraction()], from: 2)
    #expect(station.nextHop == 1)
  }

  @Test func stockOwnerIsKnownByTheRouterIDItUsesItself() {
    var station = Station()
    station.join(1)
    station.join(2)
    bind(&station, PrefixOwner(routerIDs: [.test(0xDDDD)], neighbour: Station.id(1)))
    station.receive([Station.update(96)], from: 2)
    #expect(station.nextHop == nil)
    station.sent = []
    // Now it says so itself, and what was refused before is asked for again.
    station.receive([Station.update(0)], from: 1)
    #expect(station.nextHop == 1)
    #expect(
      station.sent.contains {
        $0.to == 2 && $0.messages == [.routeRequest(RouteRequest(prefix: Station.prefix))]
      })
    station.receive([Station.update(96)], from: 2)
    station.receive([Station.update(0, routerID: Station.other)], from: 2)
    station.receive([Station.update(96)], from: 2)
    // Its own link dies; through the other neighbour it is still itself.
    station.perform { $0.linkDown(Station.id(1), at: $1) }
    #expect(station.nextHop == 2)
  }

  @Test func stockOwnerWithANewRouterIDIsNoLongerTheOldOne() {
    var station = Station()
    station.join(1)
    station.join(2)
    bind(&station, PrefixOwner(routerIDs: [.test(0xDDDD)], neighbour: Station.id(1)))
    station.receive([Station.update(0)], from: 1)
    station.receive([Station.update(96)], from: 2)
    station.receive([Station.update(0, routerID: Station.other)], from: 1)
    #expect(station.speaker.route(for: Station.prefix).state != .none && station.nextHop == 1)
    #expect(station.speaker.routes(at: station.now).allSatisfy { $0.routerID == Station.other })
  }

  @Test func meshdOwnerIsNotTakenAtItsWordForAnotherOrigin() {
    var station = Station()
    station.join(1) { $0.isMeshd = true }
    bind(&station, PrefixOwner(routerIDs: [.test(0xDDDD)], neighbour: Station.id(1)))
    station.receive([Station.update(0)], from: 1)
    #expect(station.nextHop == nil && refusals(station, .foreignOrigin) == 1)
  }

  @Test func newOwnersTakeEffectOnStoredAndOnRefusedRoutes() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(96)], from: 1)
    bind(&station, PrefixOwner(routerIDs: [Station.other]))
    #expect(station.nextHop == nil)
    station.sent = []
    station.perform { $0.bind(Station.prefix, to: nil, at: $1) }
    #expect(station.sent.map(\.to) == [1, 2])
    station.receive([Station.update(96)], from: 1)
    #expect(station.nextHop == 1)
  }

  @Test func limitOfANeighbourIsItsOwnSaidOnceAndCounted() {
    var station = Station()
    station.join(1) { $0.prefixLimit = 2 }
    station.join(2)
    let prefixes = (1...5).map { IPPrefix.test("fd00::\($0)/128") }
    for neighbour in 1...2 {
      station.receive(prefixes.map { Station.update(96, prefix: $0) }, from: neighbour)
    }
    #expect(station.speaker.neighbour(Station.id(1))?.routeCount == 2)
    #expect(station.speaker.neighbour(Station.id(1))?.refusals[.overLimit] == 3)
    #expect(station.speaker.neighbour(Station.id(2))?.routeCount == 5)
    #expect(station.overLimit == [1])
    // Known routes still change, and retractions are heard.
    station.receive([Station.update(40, prefix: prefixes[0]), Station.retraction(prefixes[1])], from: 1)
    #expect(station.speaker.neighbour(Station.id(1))?.routeCount == 1)
  }
}
