import Net
import Testing

@testable import Babel

/// Hellos, IHUs and who is heard.
@Suite struct LinkTests {
  private func open(_ change: (inout NeighbourSettings) -> Void = { _ in }) -> Station {
    var station = Station()
    var settings = NeighbourSettings(ourLinkLocal: Station.linkLocal)
    change(&settings)
    station.perform { speaker, now in
      speaker.addNeighbour(Station.id(1), settings, at: now)
      speaker.linkUp(Station.id(1), at: now)
    }
    return station
  }

  private func hellos(_ station: Station) -> [(time: Instant, hello: Hello)] {
    station.sent.flatMap { packet in
      packet.messages.compactMap { message in
        guard case .hello(let hello) = message else { return nil }
        return (packet.time, hello)
      }
    }
  }

  @Test func linkOpensWithThreeHellosWithinFiftyMilliseconds() {
    var station = open()
    station.run(for: .milliseconds(50))
    #expect(hellos(station).count == 3)
    #expect(station.sent.first?.messages.contains(.wildcardRetraction) == true)
    #expect(station.sent.first?.messages.contains(.routeRequest(RouteRequest())) == true)
    #expect(station.sent.allSatisfy { !$0.isUnicast })
  }

  @Test func wildcardRetractionIsSentOnceAndNeverOnRekey() {
    var station = open()
    station.perform { $0.linkDown(Station.id(1), at: $1) }
    station.perform { $0.linkUp(Station.id(1), at: $1) }
    station.run(for: .seconds(60))
    #expect(station.sent.flatMap(\.messages).filter { $0 == .wildcardRetraction }.count == 1)
  }

  @Test func pitfall4EveryHelloCountsOnce() {
    var station = open()
    station.run(for: .seconds(60))
    let sent = hellos(station)
    // Twice a second: a stock daemon is to notice our death in less than two.
    #expect(sent.count > 120)
    for (former, next) in zip(sent, sent.dropFirst()) {
      #expect(next.hello.seqno == former.hello.seqno.successor)
    }
    let mostInOne = station.sent.map { packet in
      packet.messages.filter { if case .hello = $0 { true } else { false } }.count
    }.max()
    #expect(mostInOne == 1)
  }

  @Test func pitfall5NoHelloIsLaterThanTheLastOnePromised() {
    var station = open()
    station.run(for: .seconds(60))
    let sent = hellos(station)
    for (former, next) in zip(sent, sent.dropFirst()) {
      #expect(former.time.duration(to: next.time) <= former.hello.interval.duration)
      #expect(!next.hello.isUnicast && next.hello.interval == Interval(centiseconds: 50))
    }
  }

  @Test func firstHelloIsAnsweredByAnIHUAtOnce() {
    var station = open()
    station.run(for: .seconds(1))
    station.sent = []
    station.receive([station.hello(1)], from: 1)
    station.run(for: .milliseconds(1))
    let ihu = IHU(
      address: .v6(Station.address(1)), rxcost: .infinity, interval: Interval(centiseconds: 150))
    #expect(station.sent.first?.messages.contains(.ihu(ihu)) == true)
    station.sent = []
    station.receive([station.hello(1)], from: 1)
    station.run(for: .milliseconds(1))
    #expect(
      station.sent.first?.messages.contains(
        .ihu(IHU(address: ihu.address, rxcost: .wired, interval: ihu.interval))) == true)
  }

  @Test(arguments: [(false, 3.0), (true, 1.0)])
  func stockNeighboursGetAnIHUWithEveryThirdHelloAndMeshdWithEach(isMeshd: Bool, ratio: Double) {
    var station = Station()
    station.join(1) { $0.expected = isMeshd ? Station.address(1) : nil }
    station.run(for: .seconds(60))
    let ihus = station.sent.flatMap(\.messages).filter { if case .ihu = $0 { true } else { false } }.count
    let found = Double(hellos(station).count) / Double(ihus)
    #expect(abs(found - ratio) < 0.1, "\(found)")
  }

  @Test func pitfall1MulticastHellosMayComeByUnicast() {
    var station = open()
    for _ in 0..<2 { station.receive([station.hello(1), station.ihu(96)], from: 1, isUnicast: true) }
    #expect(station.speaker.neighbour(Station.id(1))?.multicastReach == 0xC000)
    #expect(station.speaker.neighbour(Station.id(1))?.cost == .wired)
  }

  @Test(arguments: [false, true]) func pitfall2DestinationOfAPacketDoesNotMatter(isUnicast: Bool) {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1, isUnicast: isUnicast)
    #expect(station.nextHop == 1)
    station.receive(
      [
        .seqnoRequest(
          SeqnoRequest(
            prefix: Station.prefix, routerID: Station.origin, seqno: Seqno(5), hopCount: 9))
      ], from: 1, isUnicast: isUnicast)
    station.run(for: .milliseconds(20))
    #expect(station.metrics(to: 1) == [Metric(192)])
    station.receive([.wildcardRetraction], from: 1, isUnicast: isUnicast)
    #expect(station.nextHop == nil)
  }

  @Test func unicastHellosCountInTheirOwnSeries() {
    var station = open()
    station.receive([.hello(Hello(seqno: Seqno(5), interval: Station.long)), station.ihu(96)], from: 1)
    for seqno in 900...901 as ClosedRange<UInt16> {
      station.receive([.hello(Hello(isUnicast: true, seqno: Seqno(seqno), interval: Station.long))], from: 1)
    }
    #expect(station.speaker.neighbour(Station.id(1))?.cost == .wired)
  }

  @Test func pitfall26IHUForSomebodyElseIsIgnored() {
    var station = open()
    let foreign = IHU(address: .v6(Station.address(9)), rxcost: .wired, interval: Station.long)
    for _ in 0..<2 { station.receive([station.hello(1), .ihu(foreign)], from: 1) }
    #expect(station.speaker.neighbour(Station.id(1))?.cost == .infinity)
    station.receive([.ihu(IHU(address: nil, rxcost: Metric(70), interval: Station.long))], from: 1)
    #expect(station.speaker.neighbour(Station.id(1))?.cost == Metric(70))
  }

  @Test func lastIHUOfAPacketWins() {
    var station = open()
    for _ in 0..<2 { station.receive([station.hello(1), station.ihu(65535), station.ihu(96)], from: 1) }
    #expect(station.speaker.neighbour(Station.id(1))?.cost == .wired)
  }

  @Test func pitfall27CostIsNeverZero() {
    var station = Station()
    station.join(1, cost: 0)
    station.receive([Station.update(10)], from: 1)
    #expect(
      station.state
        == .via(Station.id(1), metric: Metric(11), routerID: Station.origin, seqno: Seqno(10)))
  }

  @Test func ihuLosesItsForceAfterThreeAndAHalfIntervals() {
    var station = open()
    for _ in 0..<2 {
      station.receive([station.hello(1), station.ihu(96, interval: Interval(centiseconds: 100))], from: 1)
    }
    station.run(for: .milliseconds(3499))
    #expect(station.speaker.neighbour(Station.id(1))?.cost == .wired)
    station.run(for: .milliseconds(1))
    #expect(station.speaker.neighbour(Station.id(1))?.cost == .infinity)
  }

  @Test func silentNeighbourIsLostAfterTwoMissedHellosAndForgottenAfterSixteen() {
    var station = open()
    for _ in 0..<4 {
      let hello = station.hello(1, interval: Interval(centiseconds: 100))
      station.receive([hello, station.ihu(96), Station.update(96)], from: 1)
    }
    station.run(for: .milliseconds(2499))
    #expect(station.nextHop == 1)
    station.run(for: .milliseconds(1))
    #expect(station.nextHop == nil)
    #expect(station.state == .unreachable)
    // Its announcement still allows it to send packets from the prefix.
    #expect(station.speaker.route(for: Station.prefix).announcers == [Station.id(1)])
    #expect(station.speaker.neighbour(Station.id(1))?.routeCount == 1)
    station.run(for: .seconds(17))
    #expect(station.speaker.neighbour(Station.id(1))?.routeCount == 0)
    station.run(for: .seconds(11))
    #expect(station.state == .none)
    #expect(station.speaker.keys.map(\.prefix) == [])
  }

  @Test func pitfall25RestartedNeighbourKeepsItsRoutesButNotItsIHU() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1)
    station.receive([.hello(Hello(seqno: Seqno(5000), interval: Station.long))], from: 1)
    #expect(station.speaker.neighbour(Station.id(1))?.txcost == .infinity)
    #expect(station.speaker.neighbour(Station.id(1))?.routeCount == 1)
    #expect(station.nextHop == nil)
    station.receive(
      [.hello(Hello(seqno: Seqno(5001), interval: Station.long)), station.ihu(96)], from: 1)
    // Whether it still has them it must say itself.
    #expect(station.nextHop == nil)
    station.receive([Station.update(96)], from: 1)
    #expect(station.nextHop == 1)
  }

  @Test func restartedMeshdHasRetractedEverythingEvenIfThatWasLost() {
    var station = Station()
    station.join(1) { $0.isMeshd = true }
    station.receive([Station.update(96)], from: 1)
    #expect(station.nextHop == 1)
    station.receive([.hello(Hello(seqno: Seqno(5000), interval: Station.long))], from: 1)
    #expect(station.speaker.neighbour(Station.id(1))?.routeCount == 0)
    #expect(station.nextHop == nil)
  }

  @Test func linkDownIsSilentAndUnusableUntilItIsUpAgain() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1)
    station.perform { $0.linkDown(Station.id(1), at: $1) }
    station.sent = []
    #expect(station.nextHop == nil)
    station.receive([station.hello(1), station.ihu(96)], from: 1)
    station.run(for: .seconds(30))
    #expect(station.sent == [])
    #expect(station.speaker.neighbour(Station.id(1))?.cost == .infinity)
    station.perform { $0.linkUp(Station.id(1), at: $1) }
    for _ in 0..<2 { station.receive([station.hello(1), station.ihu(96)], from: 1) }
    #expect(station.nextHop == nil)
    #expect(station.sent.flatMap(\.messages).contains(.routeRequest(RouteRequest())))
    station.receive([Station.update(96)], from: 1)
    #expect(station.nextHop == 1)
  }

  @Test func stockAddressIsLearnedAndMeshdsMustBeItsOwn() {
    var station = open()
    for source in 1...6 as ClosedRange<UInt64> {
      station.receive(
        bytes: .packet(""), from: 1, source: IPv6Address(high: 0xFE80 << 48, low: source))
    }
    #expect(station.speaker.neighbour(Station.id(1))?.linkLocal?.low == 6)
    station.receive(bytes: .packet(""), from: 1, source: IPv6Address(high: 0x2001 << 48, low: 1))
    station.receive(bytes: .packet(""), from: 1, source: Station.linkLocal)
    #expect(station.speaker.counters.foreignPackets == 2)

    station = open { $0.expected = Station.address(1) }
    station.receive(bytes: .packet(""), from: 1, source: Station.address(7))
    #expect(station.speaker.neighbour(Station.id(1))?.isMeshd == false)
    station.receive(bytes: .packet(""), from: 1, source: Station.address(1))
    #expect(station.speaker.neighbour(Station.id(1))?.isMeshd == true)
    station.receive(bytes: .packet(""), from: 1, source: Station.address(7))
    #expect(station.speaker.neighbour(Station.id(1))?.linkLocal == Station.address(1))
    #expect(station.speaker.counters.foreignPackets == 1)
  }

  @Test func oneNeighbourHasFourAddressesAtMost() {
    var random = SplitMix64(seed: 1)
    var neighbour = Neighbour(
      NeighbourSettings(ourLinkLocal: Station.linkLocal), helloSeqno: Seqno(0),
      authentication: Authentication(using: &random))
    for node in 1...6 {
      let isAdmitted = neighbour.admit(Station.address(node), capacity: 4)
      #expect(isAdmitted)
    }
    #expect(neighbour.linkLocals == (3...6).map(Station.address))
  }

  @Test func pitfall36AcknowledgmentLeavesAtOnceAndAlone() {
    var station = Station()
    station.join(1)
    station.receive([.acknowledgmentRequest(opaque: 77, interval: Interval(centiseconds: 5))], from: 1)
    #expect(
      station.sent == [
        Station.Sent(to: 1, time: station.now, messages: [.acknowledgment(opaque: 77)], isUnicast: true)
      ])
  }

  @Test func shutdownRetractsEverythingTwiceAndIsSilentThen() {
    var station = Station()
    station.join(1)
    let start = station.now
    station.perform { $0.shutdown(at: $1) }
    station.run(for: .seconds(60))
    #expect(station.sent.map { start.duration(to: $0.time) } == [.zero, .milliseconds(20)])
    for packet in station.sent {
      #expect(packet.messages.count == 2 && packet.messages.last == .wildcardRetraction)
      guard case .hello(let hello) = packet.messages.first else {
        Issue.record("no Hello")
        return
      }
      #expect(hello.interval == Interval(centiseconds: 1))
    }
    #expect(station.speaker.nextDeadline == .distantFuture)
  }

  @Test func removedNeighbourIsToldAndItsIDIsFree() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(96)], from: 1)
    station.sent = []
    station.perform { $0.removeNeighbour(Station.id(1), at: $1) }
    #expect(station.sent.first?.messages.last == .wildcardRetraction)
    #expect(station.speaker.route(for: Station.prefix).announcers == [])
    #expect(station.speaker.neighbours == [])
    #expect(station.changed.contains(Station.prefix))
  }
}
