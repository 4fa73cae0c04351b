import Net
import Testing

@testable import Babel

/// What is announced, when, and how often.
@Suite struct UpdateTests {
  @Test func pitfall22UpdatesGoToEveryNeighbourAlsoTheOneTheyCameFrom() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(96)], from: 1)
    station.run(for: .milliseconds(20))
    #expect(station.metrics(to: 1) == [Metric(192)])
    #expect(station.metrics(to: 2) == [Metric(192)])
  }

  @Test(arguments: [true, false])
  func newRoutesAndRetractionsLeaveWithinTwentyMilliseconds(isRetraction: Bool) {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(96)], from: 1)
    if isRetraction {
      station.run(for: .seconds(1))
      station.sent = []
      station.receive([Station.retraction()], from: 1)
    }
    let start = station.now
    station.run(for: .milliseconds(500))
    let first = station.sent.first { $0.to == 2 && !station.metrics(to: 2).isEmpty }
    #expect(first.map { start.duration(to: $0.time) <= .milliseconds(20) } == true)
  }

  @Test func unacknowledgedRetractionIsRepeatedUpToFiveTimesInAll() {
    var station = Station()
    station.join(1)
    station.join(2)
    station.receive([Station.update(96)], from: 1)
    station.run(for: .seconds(19))
    station.acknowledgeAll(from: 2)
    station.sent = []
    station.receive([Station.retraction()], from: 1)
    station.run(for: .seconds(9))
    // Full updates repeat it as well while the prefix is held.
    let requests = station.sent.filter { packet in
      packet.to == 2
        && packet.messages.contains { message in
          guard case .acknowledgmentRequest(_, let interval) = message else { return false }
          return interval == Transmission.acknowledgmentInterval
        }
    }
    #expect(requests.count == 4)
    #expect((5...6).contains(station.metrics(to: 2).count))
    #expect(station.metrics(to: 2).allSatisfy { $0 == .infinity })
  }

  @Test func acknowledgedRetractionIsNotRepeated() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1)
    station.run(for: .milliseconds(50))
    station.acknowledgeAll(from: 1)
    station.sent = []
    station.receive([Station.retraction()], from: 1)
    station.run(for: .milliseconds(50))
    station.acknowledgeAll(from: 1)
    station.run(for: .seconds(8))
    #expect(station.metrics(to: 1).count == 1)
  }

  @Test func smallChangesWaitForTheNextFullUpdate() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(1000)], from: 1)
    station.run(for: .milliseconds(100))
    station.acknowledgeAll(from: 1)
    station.sent = []
    station.receive([Station.update(1050, seqno: 11)], from: 1)
    station.run(for: .seconds(1))
    #expect(station.metrics(to: 1) == [])
    station.receive([Station.update(1600, seqno: 12)], from: 1)
    station.run(for: .milliseconds(200))
    #expect(station.metrics(to: 1) == [Metric(1696)])
    station.run(for: .seconds(20))
    #expect(station.metrics(to: 1).count == 2)
  }

  @Test func newerNumberAloneIsNoReasonToSpeak() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1)
    station.run(for: .milliseconds(100))
    station.acknowledgeAll(from: 1)
    station.sent = []
    station.receive([Station.update(96, seqno: 11)], from: 1)
    station.run(for: .seconds(1))
    #expect(station.metrics(to: 1) == [])
  }

  @Test func newOriginIsAnnouncedAtOnce() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1)
    station.run(for: .milliseconds(100))
    station.sent = []
    station.receive([Station.update(96, routerID: Station.other)], from: 1)
    station.run(for: .milliseconds(20))
    #expect(station.updates(to: 1).first?.routerID == Station.other)
  }

  @Test func pitfall30FullUpdatesComeWithinTheIntervalTheyPromise() {
    var station = Station()
    station.perform { $0.originate(Station.prefix, at: $1) }
    station.join(1)
    station.run(for: .seconds(200))
    let times = station.sent.filter { !$0.messages.isEmpty }.filter { packet in
      packet.messages.contains { if case .update = $0 { true } else { false } }
    }.map(\.time)
    #expect((10...13).contains(times.count))
    for (former, next) in zip(times, times.dropFirst()) {
      #expect(former.duration(to: next) <= .seconds(20))
    }
    #expect(station.updates(to: 1).allSatisfy { $0.interval == Interval(centiseconds: 2000) })
  }

  @Test func pitfall31WildcardRequestsCauseOneFullUpdatePerSecond() {
    var station = Station()
    station.perform { $0.originate(Station.prefix, at: $1) }
    station.join(1)
    for _ in 0..<100 {
      station.receive([.routeRequest(RouteRequest())], from: 1)
      station.run(for: .milliseconds(30))
    }
    #expect((3...4).contains(station.metrics(to: 1).count))
  }

  @Test func exactRequestIsAnsweredByUpdateOrRetraction() {
    var station = Station()
    station.perform { $0.originate(Station.prefix, at: $1) }
    station.join(1)
    let unknown = IPPrefix.test("fd00::7/128")
    station.receive(
      [
        .routeRequest(RouteRequest(prefix: Station.prefix)), .routeRequest(RouteRequest(prefix: unknown)),
      ], from: 1)
    station.run(for: .milliseconds(20))
    #expect(station.metrics(to: 1) == [.zero])
    #expect(station.metrics(to: 1, of: unknown) == [.infinity])
  }

  @Test func ipv4IsAnnouncedWithANextHopOfItsOwn() {
    for (given, expected) in [
      (IPv4Address(10, 0, 0, 9), IPv4Address(10, 0, 0, 9)), (nil, IPv4Address(192, 0, 0, 8)),
    ] as [(IPv4Address?, IPv4Address)] {
      var station = Station()
      station.perform { $0.originate(.test("10.0.0.0/8"), at: $1) }
      station.join(1) { $0.ipv4NextHop = given }
      station.receive([.routeRequest(RouteRequest())], from: 1)
      station.run(for: .milliseconds(20))
      // The reader found a Next Hop before the update, or it would not be here.
      #expect(station.updates(to: 1).map(\.nextHop) == [.v4(expected)])
      #expect(station.updates(to: 1).map(\.isIPv4ViaIPv6) == [false])
    }
  }

  @Test func pitfall35LargeTablesTravelInPacketsThatFit() {
    var station = Station()
    station.join(1)
    let prefixes = (1...1500).map { IPPrefix.test("fd00:\(String($0, radix: 16))::/64") }
    station.perform { speaker, now in for prefix in prefixes { speaker.originate(prefix, at: now) } }
    station.run(for: .seconds(1))
    station.acknowledgeAll(from: 1)
    #expect(Set(station.updates(to: 1).map(\.prefix)) == Set(prefixes))
    station.sent = []
    station.receive([.routeRequest(RouteRequest())], from: 1)
    station.run(for: .seconds(3))
    #expect(station.updates(to: 1).map(\.prefix).sorted() == prefixes.sorted())
  }

  @Test func unheardNeighbourGetsNoUpdates() {
    var station = Station()
    station.perform { $0.originate(Station.prefix, at: $1) }
    station.perform { speaker, now in
      speaker.addNeighbour(Station.id(1), NeighbourSettings(ourLinkLocal: Station.linkLocal), at: now)
      speaker.linkUp(Station.id(1), at: now)
    }
    station.run(for: .seconds(60))
    #expect(station.metrics(to: 1) == [])
    station.receive([station.hello(1)], from: 1)
    station.run(for: .milliseconds(20))
    #expect(station.metrics(to: 1) == [.zero])
  }
}
