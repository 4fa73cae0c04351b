import Net
import Testing

@testable import Babel

/// Requests for newer sequence numbers, ours and others' (RFC 8966 §3.8).
@Suite struct SeqnoRequestTests {
  private func request(
    _ seqno: UInt16, routerID: RouterID = Station.origin, hops: UInt8 = 64
  ) -> TLV {
    .seqnoRequest(
      SeqnoRequest(prefix: Station.prefix, routerID: routerID, seqno: Seqno(seqno), hopCount: hops))
  }

  /// A station with a route by neighbour 1, and 2 and 3 as further neighbours with routes that are not feasible.
  private func transit() -> Station {
    var station = Station()
    for neighbour in 1...4 { station.join(neighbour) }
    station.receive([Station.update(96)], from: 1)
    station.run(for: .seconds(1))
    station.receive([Station.update(400)], from: 2)
    station.receive([Station.update(300)], from: 3)
    station.run(for: .seconds(3))
    station.sent = []
    return station
  }

  @Test func pitfall17RequestIsForwardedToOneNeighbourByUnicastWithOneHopLess() {
    var station = transit()
    station.receive([request(11)], from: 4)
    #expect(station.seqnoRequests.map(\.to) == [1])
    #expect(station.seqnoRequests.first?.isUnicast == true)
    #expect(station.seqnoRequests.first?.request.hopCount == 63)
    #expect(station.seqnoRequests.first?.time == station.now)
  }

  @Test func pitfall17RequestIsNeverForwardedToItsSender() {
    var station = transit()
    station.receive([request(11)], from: 1)
    #expect(station.seqnoRequests.map(\.to) == [3])
  }

  @Test func pitfall17LastHopIsNotForwarded() {
    var station = transit()
    station.receive([request(11, hops: 1)], from: 4)
    #expect(station.seqnoRequests.isEmpty)
  }

  @Test func copiesAreForwardedOnceButARepetitionIsForwardedAgain() {
    var station = transit()
    station.receive([request(11)], from: 4)
    station.receive([request(11)], from: 4)
    station.receive([request(11)], from: 2)
    #expect(station.seqnoRequests.count == 1)
    station.run(for: .milliseconds(250))
    station.receive([request(11)], from: 4)
    #expect(station.seqnoRequests.count == 2)
  }

  @Test func pitfall20AnswerIsPassedOnToAllWhoAskedWithinTwentyMilliseconds() {
    var station = transit()
    station.receive([request(11)], from: 4)
    station.receive([request(11)], from: 2)
    station.sent = []
    station.receive([Station.update(96, seqno: 11)], from: 1)
    station.run(for: .milliseconds(20))
    #expect(station.updates(to: 4).map(\.seqno) == [Seqno(11)])
    #expect(station.updates(to: 2).map(\.seqno) == [Seqno(11)])
    #expect(station.updates(to: 3) == [])
  }

  @Test func satisfiedRequestIsAnsweredAtOnce() {
    var station = transit()
    station.receive([request(10)], from: 4)
    station.receive([request(5000, routerID: Station.other)], from: 2)
    station.run(for: .milliseconds(20))
    #expect(station.updates(to: 4).map(\.seqno) == [Seqno(10)])
    #expect(station.updates(to: 2).map(\.routerID) == [Station.origin])
    #expect(station.seqnoRequests.isEmpty)
  }

  @Test func requestForAnUnknownPrefixIsIgnored() {
    var station = Station()
    station.join(1)
    station.receive([request(11)], from: 1)
    station.run(for: .milliseconds(20))
    #expect(station.sent == [])
  }

  @Test func pitfall19CopiesOfARequestRaiseOurNumberOnce() {
    var station = Station()
    station.perform { $0.originate(Station.prefix, at: $1) }
    for neighbour in 1...3 { station.join(neighbour) }
    for neighbour in 1...3 { station.receive([request(101, routerID: Station.routerID)], from: neighbour) }
    #expect(station.seqnos == [Seqno(101)])
    station.run(for: .milliseconds(20))
    for neighbour in 1...3 { #expect(station.updates(to: neighbour).map(\.seqno) == [Seqno(101)]) }
  }

  @Test func numberLeapsToWhatIsAskedButSeldomAndNotTooFar() {
    var station = Station()
    station.perform { $0.originate(Station.prefix, at: $1) }
    station.join(1)
    station.receive([request(100, routerID: Station.routerID)], from: 1)
    #expect(station.speaker.seqno == Seqno(100))
    station.receive([request(200, routerID: Station.routerID)], from: 1)
    #expect(station.speaker.seqno == Seqno(200))
    station.receive([request(300, routerID: Station.routerID)], from: 1)
    #expect(station.speaker.seqno == Seqno(201))
    station.run(for: .seconds(10))
    station.receive([request(201 + 32767, routerID: Station.routerID)], from: 1)
    #expect(station.speaker.seqno == Seqno(201 + 16384))
  }

  @Test func pitfall18RequestForAPrefixWeNoLongerOriginateRaisesNothing() {
    var station = transit()
    station.receive([request(101, routerID: Station.routerID)], from: 4)
    #expect(station.speaker.seqno == Seqno(100))
    #expect(station.seqnoRequests.isEmpty)
  }

  @Test func staleAnnouncementOfOurOwnIsOvertaken() {
    var station = Station(seqno: 5)
    station.perform { $0.originate(Station.prefix, at: $1) }
    station.join(1)
    station.receive([Station.update(96, seqno: 900, routerID: Station.routerID)], from: 1)
    #expect(station.seqnos == [Seqno(901)])
    station.run(for: .milliseconds(20))
    #expect(station.updates(to: 1).map(\.seqno) == [Seqno(901)])
    station.receive([Station.update(96, seqno: 901, routerID: Station.routerID)], from: 1)
    #expect(station.seqnos.count == 1)
  }

  @Test func staleAnnouncementRaisesOurNumberSeldomAndNotTooFar() {
    // Else a liar could turn it round, so that what is old looks new where it has not been forgotten.
    var station = Station(seqno: 5)
    station.perform { $0.originate(Station.prefix, at: $1) }
    station.join(1)
    let stale = Station.update(96, seqno: 30_000, routerID: Station.routerID)
    station.receive([stale], from: 1)
    #expect(station.speaker.seqno == Seqno(5 + 16384))
    station.receive([stale], from: 1)
    #expect(station.seqnos.count == 1)
    station.run(for: .seconds(10))
    station.receive([stale], from: 1)
    #expect(station.speaker.seqno == Seqno(30_001))
  }

  @Test(arguments: [32771, 32772] as [UInt16])
  func nodeThatMissedTwoLeapsIsHeard(number: UInt16) {
    // It needs 4 at least, for it has announced 3; what we say now is not newer than that, nor older.
    var station = Station(seqno: number)
    station.perform { $0.originate(Station.prefix, at: $1) }
    station.join(1)
    for _ in 0..<4 {
      station.receive([request(4, routerID: Station.routerID)], from: 1)
      station.run(for: .seconds(11))
    }
    #expect(station.speaker.seqno.isNewer(than: Seqno(3)))
  }

  @Test func requestForTheFarEndOfTheCircleIsPassedOn() {
    var station = transit()
    station.receive([request(10 &+ 0x8000)], from: 4)
    station.receive([request(10 &+ 0x8001)], from: 4)
    #expect(station.seqnoRequests.map(\.request.seqno) == [Seqno(10 &+ 0x8000), Seqno(10 &+ 0x8001)])
  }

  @Test func pitfall21StarvingNodeAsksThreeAnnouncersOfUnfeasibleRoutesAndRepeats() {
    var station = transit()
    station.receive([Station.update(500)], from: 4)
    station.sent = []
    let start = station.now
    station.receive([Station.retraction()], from: 1)
    #expect(station.seqnoRequests.map(\.to) == [3, 2, 4])
    #expect(
      station.seqnoRequests.allSatisfy {
        $0.request.seqno == Seqno(11) && $0.request.routerID == Station.origin && $0.isUnicast
          && $0.request.hopCount == 64
      })
    station.run(for: .seconds(30))
    let times = station.seqnoRequests.filter { $0.to == 3 }.map { start.duration(to: $0.time) }
    #expect(times == [0, 250, 750, 1750, 3750, 7750, 15750].map { .milliseconds($0) })
    station.receive([Station.update(300, seqno: 11)], from: 3)
    #expect(station.nextHop == 3)
  }

  @Test func whatWasPassedOnForOthersIsAskedForUsAsWell() {
    // Somebody else's question was on its way when our route went, and its answer is lost.
    for (pause, first) in [(0, 250), (300, 0)] {
      var station = transit()
      station.receive([request(11)], from: 4)
      station.run(for: .milliseconds(pause))
      let start = station.now
      station.sent = []
      station.receive([Station.retraction()], from: 1)
      station.run(for: .seconds(1))
      let times = station.seqnoRequests.filter { $0.to == 3 }.map { start.duration(to: $0.time) }
      #expect(times.first == .milliseconds(first))
      // Who asked before still gets the answer.
      station.sent = []
      station.receive([Station.update(300, seqno: 11)], from: 3)
      station.run(for: .milliseconds(20))
      #expect(station.updates(to: 4).map(\.seqno) == [Seqno(11)])
    }
  }

  @Test func pitfall34RetractedRoutesAreNoReasonToAsk() {
    var station = transit()
    station.receive([Station.retraction()], from: 2)
    station.receive([Station.retraction()], from: 3)
    station.sent = []
    station.receive([Station.retraction()], from: 1)
    station.run(for: .seconds(5))
    #expect(station.seqnoRequests.isEmpty)
  }

  @Test func unfeasibleRouteThatWouldBeBetterIsAskedFor() {
    // The selected link got worse, and the other way would be better, were it feasible.
    var station = stationWithABetterWay(gain: 1894)
    #expect(station.seqnoRequests.map(\.to) == [2])
    station.receive([Station.update(192, seqno: 11)], from: 2)
    station.run(for: .seconds(30))
    #expect(station.nextHop == 2)
    #expect(station.seqnoRequests.count == 1)
  }

  /// Neighbour 2's way is better by `gain` than the selected one of metric 2096, and unfeasible.
  private func stationWithABetterWay(gain: UInt16) -> Station {
    var station = Station()
    station.join(1, cost: 96)
    station.join(2, cost: 10)
    station.receive([Station.update(96)], from: 1)
    station.run(for: .seconds(1))
    station.receive([station.ihu(2000)], from: 1)
    station.sent = []
    station.receive([Station.update(2086 - gain)], from: 2)
    return station
  }

  @Test func farBetterWayIsAskedForAsLongAsItIsOne() {
    var station = stationWithABetterWay(gain: 1800)
    station.run(for: .seconds(20))
    #expect(station.seqnoRequests.count > 5)
    station.receive([Station.update(2080)], from: 2)
    station.sent = []
    station.run(for: .seconds(30))
    #expect(station.seqnoRequests.isEmpty)
  }

  @Test func wayThatBecomesFarBetterIsAskedFor() {
    var station = stationWithABetterWay(gain: 0)
    #expect(station.seqnoRequests.isEmpty)
    station.receive([Station.update(1000)], from: 2)
    station.receive([station.ihu(5000)], from: 2)
    station.run(for: .seconds(40))
    station.sent = []
    station.receive([station.ihu(96)], from: 2)
    #expect(station.seqnoRequests.map(\.to) == [2])
  }

  @Test func littleBetterWayIsAskedForThreeTimes() {
    var station = stationWithABetterWay(gain: 50)
    station.run(for: .seconds(20))
    #expect(station.seqnoRequests.count == 3)
  }

  @Test func questionForABetterWayGoesOnWhenNoOtherIsLeft() {
    var station = stationWithABetterWay(gain: 50)
    station.run(for: .milliseconds(300))
    station.receive([Station.retraction()], from: 1)
    station.run(for: .seconds(20))
    #expect(station.seqnoRequests.count { $0.to == 2 } > 5)
  }

  @Test func floodOfRequestsFillsNoQueue() throws {
    var limits = Limits()
    limits.requestsPerNeighbour = 50
    var station = Station(limits: limits)
    for neighbour in [1, 4] { station.join(neighbour) }
    station.receive([Station.update(96)], from: 1)
    station.run(for: .seconds(3))
    // All of them newer than the last, at one moment.
    for number in 0..<200 as Range<UInt16> { station.receive([request(11 + number)], from: 4) }
    #expect(station.speaker.neighbourTable[NeighbourID(1)]?.requests.count == 50)
    for number in 0..<200 {
      let unknown = try #require(IPPrefix("10.200.\(number).0/24"))
      station.receive([.routeRequest(RouteRequest(prefix: unknown))], from: 4)
    }
    #expect(station.speaker.neighbourTable[NeighbourID(4)]?.pendingUpdates.count == 50)
  }

  @Test func starvedTriangleRecoversWithinARoundTrip() {
    // 0 is the origin; 1 and 2 both hang on it and on each other. When 0-1 is cut, 2's route is no better than 1's was.
    var network = VirtualNetwork(count: 3, seed: 77)
    network.connect(0, 1)
    network.connect(0, 2, cost: 400)
    network.connect(1, 2)
    network.run(for: .seconds(10))
    #expect(network.metric(1, to: 0) == 96)
    for node in [0, 1] {
      let peer = NeighbourID(UInt32(1 - node))
      let now = network.now
      network.speakers[node].linkDown(peer, at: now)
      network.drain(node)
    }
    network.run(for: .milliseconds(100))
    #expect(network.metric(1, to: 0) == 496)
    #expect(network.metric(0, to: 1) == 496)
  }
}
