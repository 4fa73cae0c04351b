import Net
import Testing

@testable import Babel

/// How IPv4 travels over links that are IPv6 (RFC 9229).
@Suite struct IPv4Tests {
  static let ours = IPPrefix.test("10.44.0.1/32")
  static let theirs = IPPrefix.test("10.55.0.0/16")

  private static func viaIPv6(_ metric: UInt16) -> TLV {
    .update(
      Update(
        prefix: theirs, isIPv4ViaIPv6: true, routerID: Station.origin, nextHop: .v6(Station.address(0)),
        seqno: Seqno(10), metric: Metric(metric), interval: Station.long))
  }

  private static func announced(
    saying message: TLV? = nil, settings: (inout NeighbourSettings) -> Void = { _ in }
  ) throws -> Update {
    var station = Station()
    station.join(0, settings: settings)
    if let message { station.receive([message], from: 0) }
    station.perform { $0.originate(ours, at: $1) }
    station.run(for: .milliseconds(50))
    return try #require(station.updates(to: 0).last { $0.prefix == ours })
  }

  @Test func ourAddressIsTheNextHopForAll() throws {
    let address = IPv4Address(10, 44, 0, 1)
    let plain = try Self.announced { $0.ipv4NextHop = address }
    #expect(plain.nextHop == .v4(address) && !plain.isIPv4ViaIPv6)
    let modern = try Self.announced(saying: Self.viaIPv6(0)) { $0.ipv4NextHop = address }
    #expect(modern.nextHop == .v4(address) && !modern.isIPv4ViaIPv6)
  }

  @Test func stockNeighbourGetsTheDummyNextHopWithoutAnAddress() throws {
    let update = try Self.announced()
    #expect(update.nextHop == .v4(IPv4Address(192, 0, 0, 8)))
    #expect(!update.isIPv4ViaIPv6)
  }

  @Test func meshdGetsIPv4ViaIPv6WithoutAnAddress() throws {
    let update = try Self.announced {
      $0.expected = Station.address(0)
      $0.isMeshd = true
    }
    #expect(update.nextHop == .v6(Station.linkLocal))
    #expect(update.isIPv4ViaIPv6)
  }

  @Test func stockNeighbourThatSpeaksItGetsIPv4ViaIPv6() throws {
    let update = try Self.announced(saying: Self.viaIPv6(0))
    #expect(update.nextHop == .v6(Station.linkLocal))
    #expect(update.isIPv4ViaIPv6)
  }

  @Test func bothEncodingsOfAPrefixAreOneRoute() {
    var station = Station()
    station.join(0)
    station.receive([Self.viaIPv6(100)], from: 0)
    #expect(station.speaker.keys == [RouteKey(Self.theirs)])
    station.receive([Station.update(50, prefix: Self.theirs)], from: 0)
    #expect(station.speaker.routes(at: station.now).map(\.referenceMetric) == [Metric(50)])
    station.receive([Station.retraction(Self.theirs)], from: 0)
    #expect(station.speaker.route(for: Self.theirs).state == .unreachable)
  }

  @Test func retractionHasTheEncodingOfTheAnnouncement() throws {
    var station = Station()
    station.join(0)
    station.receive([Self.viaIPv6(0)], from: 0)
    station.perform { $0.originate(Self.ours, at: $1) }
    station.run(for: .seconds(1))
    station.sent = []
    station.perform { $0.withdraw(Self.ours, at: $1) }
    station.run(for: .milliseconds(50))
    let retraction = try #require(station.updates(to: 0).first { $0.prefix == Self.ours })
    #expect(!retraction.metric.isFinite && retraction.isIPv4ViaIPv6)
  }
}
