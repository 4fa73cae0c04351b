import Net
import Testing

@testable import Babel

/// Routes that hold for packets from one source prefix only (RFC 9079).
@Suite struct SourceSpecificTests {
  struct Pair: Sendable, CustomTestStringConvertible {
    var prefix: IPPrefix
    var source: IPPrefix
    var testDescription: String { "\(prefix) from \(source)" }

    init(_ prefix: String, _ source: String) {
      self.prefix = .test(prefix)
      self.source = .test(source)
    }
  }

  static let pairs = [
    Pair("::/0", "2001:db8:7::/48"), Pair("2001:db8:2::/48", "2001:db8:7::1/128"),
    Pair("0.0.0.0/0", "192.0.2.0/25"), Pair("10.7.0.0/16", "10.9.0.1/32"),
  ]

  private func update(_ pair: Pair, _ metric: UInt16, seqno: UInt16 = 10) -> TLV {
    Station.update(metric, seqno: seqno, prefix: pair.prefix, source: pair.source)
  }

  @Test(arguments: pairs)
  func isARouteOfItsOwnBesideThePlainOne(pair: Pair) {
    var station = Station()
    station.join(0)
    station.join(1)
    station.receive([update(pair, 100)], from: 0)
    station.receive([Station.update(50, prefix: pair.prefix)], from: 1)
    let specific = station.speaker.route(for: pair.prefix, source: pair.source)
    let plain = station.speaker.route(for: pair.prefix)
    #expect(specific.announcers == [Station.id(0)])
    #expect(plain.announcers == [Station.id(1)])
    #expect(station.speaker.keys == [RouteKey(pair.prefix), RouteKey(pair.prefix, source: pair.source)])
    #expect(station.speaker.routes(at: station.now).map(\.source) == [nil, pair.source])
  }

  @Test(arguments: pairs)
  func isAnnouncedWithItsSource(pair: Pair) throws {
    var station = Station()
    station.join(0)
    station.join(1)
    station.receive([update(pair, 100)], from: 0)
    station.run(for: .milliseconds(50))
    let announced = try #require(station.updates(to: 1).first)
    #expect(announced.prefix == pair.prefix)
    #expect(announced.source == pair.source)
    #expect(announced.metric == Metric(196))
  }

  @Test(arguments: pairs)
  func ofOurOwnIsAnnouncedAndWithdrawn(pair: Pair) {
    var station = Station()
    station.join(0)
    station.perform { $0.originate(pair.prefix, source: pair.source, at: $1) }
    station.run(for: .milliseconds(50))
    #expect(station.updates(to: 0).map(\.source) == [pair.source])
    #expect(station.speaker.route(for: pair.prefix, source: pair.source).state == .local)
    #expect(station.speaker.route(for: pair.prefix).state == RouteView.State.none)
    station.sent = []
    station.perform { $0.withdraw(pair.prefix, source: pair.source, at: $1) }
    station.run(for: .milliseconds(50))
    #expect(station.updates(to: 0).map(\.source) == [pair.source])
    #expect(station.updates(to: 0).map(\.metric) == [.infinity])
  }

  @Test(arguments: pairs)
  func retractionOfOneSourceLeavesOthers(pair: Pair) {
    var station = Station()
    station.join(0)
    station.receive([update(pair, 100), Station.update(100, prefix: pair.prefix)], from: 0)
    station.receive([Station.retraction(pair.prefix)], from: 0)
    #expect(station.speaker.route(for: pair.prefix, source: pair.source).state != .unreachable)
    #expect(station.speaker.route(for: pair.prefix).state == .unreachable)
  }

  @Test func wildcardRetractionCoversAllSources() {
    var station = Station()
    station.join(0)
    for pair in Self.pairs { station.receive([update(pair, 100)], from: 0) }
    station.receive([.wildcardRetraction], from: 0)
    for pair in Self.pairs {
      #expect(station.speaker.route(for: pair.prefix, source: pair.source).state == .unreachable)
    }
  }

  @Test func wildcardRequestIsAnsweredWithAllSources() {
    var station = Station()
    station.join(0)
    for pair in Self.pairs { station.perform { $0.originate(pair.prefix, source: pair.source, at: $1) } }
    station.run(for: .seconds(2))
    station.sent = []
    station.receive([.routeRequest(RouteRequest())], from: 0)
    station.run(for: .seconds(1))
    #expect(Set(station.updates(to: 0).map(\.source)) == Set(Self.pairs.map(\.source)))
  }

  @Test(arguments: pairs)
  func routeRequestIsAnsweredForItsSourceOnly(pair: Pair) {
    var station = Station()
    station.join(0)
    station.perform { $0.originate(pair.prefix, at: $1) }
    station.run(for: .seconds(2))
    station.sent = []
    station.receive([.routeRequest(RouteRequest(prefix: pair.prefix, source: pair.source))], from: 0)
    station.run(for: .milliseconds(50))
    #expect(station.updates(to: 0).map(\.source) == [pair.source])
    #expect(station.updates(to: 0).map(\.metric) == [.infinity])
  }

  @Test(arguments: pairs)
  func seqnoRequestForOurOwnBumpsTheNumber(pair: Pair) {
    var station = Station()
    station.join(0)
    station.perform { $0.originate(pair.prefix, source: pair.source, at: $1) }
    station.receive(
      [
        .seqnoRequest(
          SeqnoRequest(
            prefix: pair.prefix, source: pair.source, routerID: Station.routerID, seqno: Seqno(101),
            hopCount: 64))
      ], from: 0)
    #expect(station.seqnos == [Seqno(101)])
    // The plain prefix is not ours.
    station.receive(
      [
        .seqnoRequest(
          SeqnoRequest(
            prefix: pair.prefix, routerID: Station.routerID, seqno: Seqno(102), hopCount: 64))
      ], from: 0)
    #expect(station.seqnos == [Seqno(101)])
  }

  @Test(arguments: pairs)
  func starvingNodeAsksForTheSource(pair: Pair) throws {
    var station = Station()
    station.join(0)
    station.join(1)
    station.receive([update(pair, 100)], from: 0)
    station.run(for: .seconds(1))
    station.receive([update(pair, 300)], from: 1)
    station.receive([Station.retraction(pair.prefix, source: pair.source)], from: 0)
    let request = try #require(station.seqnoRequests.first)
    #expect(request.to == 1)
    #expect(request.request.source == pair.source)
    #expect(request.request.prefix == pair.prefix)
  }

  @Test(arguments: pairs)
  func forwardedRequestKeepsTheSource(pair: Pair) {
    var station = Station()
    station.join(0)
    station.join(1)
    station.receive([update(pair, 100)], from: 0)
    station.receive(
      [
        .seqnoRequest(
          SeqnoRequest(
            prefix: pair.prefix, source: pair.source, routerID: Station.origin, seqno: Seqno(11),
            hopCount: 9))
      ], from: 1)
    #expect(station.seqnoRequests.map(\.request.source) == [pair.source])
    #expect(station.seqnoRequests.map(\.request.hopCount) == [8])
  }

  @Test(arguments: pairs)
  func nodeThatCannotForwardBySourceTakesNone(pair: Pair) {
    var station = Station()
    station.join(0) { $0.acceptsSourceSpecific = false }
    station.receive([update(pair, 100)], from: 0)
    #expect(station.speaker.keys == [])
  }

  @Test func martianSourcesAreRefused() {
    var station = Station()
    station.join(0)
    for (prefix, source) in [("::/0", "fe80::/10"), ("::/0", "ff00::/8"), ("0.0.0.0/0", "127.0.0.0/8")] {
      station.receive([Station.update(0, prefix: .test(prefix), source: .test(source))], from: 0)
    }
    #expect(station.speaker.keys == [])
  }

  @Test func defaultSourceIsAnywhere() {
    #expect(RouteKey(.test("fd00::/8"), source: .test("::/0")) == RouteKey(.test("fd00::/8")))
  }

  @Test func keysAreInOneOrder() {
    let keys = [
      RouteKey(.test("10.0.0.0/8")), RouteKey(.test("10.0.0.0/8"), source: .test("10.1.0.0/16")),
      RouteKey(.test("10.0.0.0/8"), source: .test("10.2.0.0/16")), RouteKey(.test("fd00::/8")),
    ]
    for (index, key) in keys.enumerated() {
      for (other, second) in keys.enumerated() { #expect((key < second) == (index < other)) }
    }
  }
}
