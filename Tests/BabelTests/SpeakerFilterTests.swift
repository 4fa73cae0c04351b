import Net
import Testing

@testable import Babel

/// What filters let into the route table, and out of it.
@Suite struct SpeakerFilterTests {
  static func settings(_ lines: String..., accept: [IPPrefix]? = nil) throws -> NeighbourSettings {
    let rules = try lines.map { try FilterRule(parsing: $0.split(separator: " ")) }
    return NeighbourSettings(
      ourLinkLocal: Station.linkLocal, accept: accept, inbound: Filter(.in, of: rules),
      outbound: Filter(.out, of: rules))
  }

  static func configure(_ station: inout Station, _ neighbour: Int, _ settings: NeighbourSettings) {
    station.perform { $0.updateNeighbour(Station.id(neighbour), settings, at: $1) }
  }

  @Test func deniedRouteIsNotStoredAndIsCounted() throws {
    var station = Station()
    let settings = try Self.settings("in ip fd00::/64 deny")
    station.join(1) { $0 = settings }
    station.receive([Station.update(96), Station.update(96, prefix: .test("fd01::1/128"))], from: 1)
    #expect(station.speaker.keys.map(\.prefix) == [.test("fd01::1/128")])
    #expect(station.speaker.counters.refusals[.filtered] == 1)
  }

  @Test func metricIsAddedToOursAndNotToTheNeighbours() throws {
    var station = Station()
    let settings = try Self.settings("in metric 100")
    station.join(1) { $0 = settings }
    station.receive([Station.update(96)], from: 1)
    let entry = station.speaker.routes(at: station.now).first
    #expect(entry?.metric == Metric(292))
    #expect(entry?.referenceMetric == Metric(96))
    station.run(for: .milliseconds(50))
    #expect(station.metrics(to: 1) == [Metric(292)])
  }

  @Test func metricDecidesBetweenNeighbours() throws {
    var station = Station()
    let settings = try Self.settings("in metric 500")
    station.join(1) { $0 = settings }
    station.join(2)
    station.receive([Station.update(96)], from: 1)
    station.receive([Station.update(200)], from: 2)
    station.run(for: .seconds(30))
    #expect(station.nextHop == 2)
  }

  @Test func metricThatReachesInfinityIsUnusable() throws {
    var station = Station()
    let settings = try Self.settings("in metric 65500")
    station.join(1) { $0 = settings }
    station.receive([Station.update(96)], from: 1)
    #expect(station.nextHop == nil)
  }

  @Test func ruleByOriginatorFollowsTheUpdate() throws {
    var station = Station()
    let settings = try Self.settings("in id \(Station.other) deny")
    station.join(1) { $0 = settings }
    station.receive([Station.update(96)], from: 1)
    #expect(station.nextHop == 1)
    station.receive([Station.update(96, routerID: Station.other)], from: 1)
    #expect(station.nextHop == nil)
  }

  @Test func changedFilterAppliesToStoredRoutesAndAsksForThoseNotStored() throws {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96), Station.update(96, prefix: .test("fd01::1/128"))], from: 1)
    station.run(for: .seconds(1))
    Self.configure(&station, 1, try Self.settings("in ip fd00::/64 deny", "in metric 10"))
    #expect(station.nextHop == nil)
    #expect(station.speaker.routes(at: station.now).map(\.metric) == [.infinity, Metric(202)])
    station.run(for: .seconds(1))
    station.sent = []
    Self.configure(&station, 1, try Self.settings())
    station.run(for: .milliseconds(20))
    #expect(station.sent.contains { $0.messages.contains(.routeRequest(RouteRequest())) })
    station.receive([Station.update(96)], from: 1)
    #expect(station.nextHop == 1)
    #expect(station.speaker.routes(at: station.now).map(\.metric) == [Metric(192), Metric(192)])
  }

  @Test func acceptStaysTheCeiling() throws {
    var station = Station()
    let settings = try Self.settings("in allow", accept: [.test("fd01::/16")])
    station.join(1) { $0 = settings }
    station.receive([Station.update(96)], from: 1)
    #expect(station.nextHop == nil)
  }

  @Test func deniedPrefixIsNotToldAtAllUnlessAskedFor() throws {
    var station = Station()
    let settings = try Self.settings("out ip fd00::/64 deny")
    station.join(1)
    station.join(2) { $0 = settings }
    station.receive([Station.update(96), Station.update(96, prefix: .test("fd01::1/128"))], from: 1)
    station.run(for: .milliseconds(50))
    station.receive([.routeRequest(RouteRequest())], from: 2)
    station.run(for: .seconds(3))
    station.receive([Station.retraction()], from: 1)
    station.run(for: .milliseconds(50))
    #expect(station.metrics(to: 1).contains(Metric(192)) && station.metrics(to: 1).contains(.infinity))
    #expect(station.metrics(to: 2) == [])
    #expect(station.metrics(to: 2, of: .test("fd01::1/128")).contains(Metric(192)))
    station.receive([.routeRequest(RouteRequest(prefix: Station.prefix))], from: 2)
    station.run(for: .milliseconds(50))
    #expect(station.metrics(to: 2) == [.infinity])
  }

  @Test func prefixThatChangesToADeniedOriginatorIsRetracted() throws {
    var station = Station()
    let settings = try Self.settings("out id \(Station.other) deny")
    station.join(1)
    station.join(2) { $0 = settings }
    station.receive([Station.update(96)], from: 1)
    station.run(for: .milliseconds(50))
    #expect(station.metrics(to: 2) == [Metric(192)])
    station.acknowledgeAll(from: 2)
    station.sent = []
    station.receive([Station.update(96, routerID: Station.other)], from: 1)
    station.run(for: .milliseconds(50))
    #expect(station.metrics(to: 2) == [.infinity])
  }

  @Test func outgoingMetricIsToldAndItsDistanceIsRemembered() throws {
    var station = Station()
    let settings = try Self.settings("out metric 100")
    station.join(1) { $0 = settings }
    station.receive([Station.update(96)], from: 1)
    station.run(for: .milliseconds(50))
    #expect(station.metrics(to: 1) == [Metric(292)])
    let distance = station.speaker.sourceTable.distance(
      RouteKey(Station.prefix), Station.origin, at: station.now)
    #expect(distance?.metric == Metric(292))
  }

  @Test func ourOwnPrefixesPassTheFilterToo() throws {
    var station = Station()
    let settings = try Self.settings("out id \(Station.routerID) metric 64")
    station.join(1) { $0 = settings }
    station.perform { $0.originate(Station.prefix, at: $1) }
    station.run(for: .milliseconds(50))
    #expect(station.metrics(to: 1) == [Metric(64)])
  }

  @Test func pitfall32ChangedOutgoingFilterIsToldAtOnceAndOnlyWhereItMatters() throws {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(96), Station.update(96, prefix: .test("fd01::1/128"))], from: 1)
    station.run(for: .seconds(1))
    for neighbour in 1...2 { station.acknowledgeAll(from: neighbour) }
    station.sent = []
    Self.configure(&station, 2, try Self.settings("out ip fd00::/64 deny"))
    station.run(for: .milliseconds(20))
    #expect(station.metrics(to: 2) == [.infinity])
    #expect(station.metrics(to: 2, of: .test("fd01::1/128")) == [])
    #expect(station.updates(to: 1) == [])
    station.acknowledgeAll(from: 2)
    station.sent = []
    Self.configure(&station, 2, try Self.settings())
    station.run(for: .milliseconds(20))
    #expect(station.metrics(to: 2) == [Metric(192)])
  }
}
