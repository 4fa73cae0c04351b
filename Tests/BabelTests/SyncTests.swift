import Net
import Testing

@testable import Babel

/// What meshd nodes do instead of full updates.
@Suite struct SyncTests {
  private static let meshd = 1
  private static let stock = 2
  private static let promise = Interval(centiseconds: 30_000)

  /// A station with a meshd and a stock neighbour, and one prefix of its own.
  private static func station(timing: Timing = Timing()) -> Station {
    var station = Station(timing: timing)
    station.join(meshd) { $0.expected = Station.address(meshd) }
    station.join(stock)
    station.perform { $0.originate(Station.prefix, at: $1) }
    station.run(for: .seconds(1))
    station.acknowledgeAll(from: meshd)
    return station
  }

  private func digests(_ station: Station, to neighbour: Int) -> [SyncDigest] {
    station.sent.filter { $0.to == neighbour }.flatMap(\.messages).compactMap { message in
      if case .digest(let digest) = message { digest } else { nil }
    }
  }

  private func routeRequests(_ station: Station, to neighbour: Int) -> [RouteRequest] {
    station.sent.filter { $0.to == neighbour }.flatMap(\.messages).compactMap { message in
      if case .routeRequest(let request) = message { request } else { nil }
    }
  }

  @Test func digestSurvivesTheWire() {
    let digest = SyncDigest(hash: 0x0102_0304_0506_0708, count: 9)
    var writer = PacketWriter(limit: 100, source: Station.linkLocal)
    _ = writer.append(.digest(digest))
    let octets = writer.finish() ?? []
    #expect(octets == [42, 2, 0, 14, 224, 12, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9])
    #expect(Captures.messages(octets, from: Station.linkLocal) == [.digest(digest)])
    let short: [UInt8] = [42, 2, 0, 13, 224, 11, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0]
    #expect(Captures.messages(short, from: Station.linkLocal).isEmpty)
  }

  @Test func marksAreThoseOfTheArticle() throws {
    let v4 = try #require(IPPrefix("10.0.0.0/24"))
    let v6 = IPPrefix.test("fd00::1/128")
    let first = RouteMark(RouteKey(v4), .test(1), seqno: Seqno(2), metric: Metric(96))
    let second = RouteMark(
      RouteKey(v6, source: .test("2001:db8::/32")), .test(1), seqno: Seqno(2), metric: .zero)
    #expect(first.rawValue == 106862746)
    #expect(second.rawValue == 1096835278)
  }

  @Test func orderDoesNotMatterAndWhatIsTakenBackIsGone() {
    let keys = (1...50).map { RouteKey(IPPrefix.test("fd00::\($0)/128")) }
    let marks = keys.map { RouteMark($0, .test(7), seqno: Seqno(1), metric: Metric(96)) }
    var one = Ledger(strayLimit: 100)
    var other = Ledger(strayLimit: 100)
    for index in keys.indices { one.note(marks[index], keys[index], index) }
    for index in keys.indices.reversed() {
      other.note(marks[index], keys[index], index % 2 == 0 ? nil : index)
    }
    #expect(one.digest == other.digest && one.digest.count == 50)
    for index in keys.indices where index % 2 == 0 { other.enter(keys[index], 100 + index) }
    other.leave(keys[1], 1)
    #expect(one.digest == other.digest)
    for index in keys.indices { one.note(.none, keys[index], index) }
    #expect(one.digest == SyncDigest())
  }

  @Test func ledgerWithoutRoomSaysSo() {
    var ledger = Ledger(strayLimit: 1)
    for number in 1...2 {
      let key = RouteKey(IPPrefix.test("fd00::\(number)/128"))
      ledger.note(RouteMark(key, .test(7), seqno: Seqno(1), metric: .zero), key, nil)
    }
    #expect(!ledger.isComplete)
    ledger.removeAll()
    #expect(ledger.isComplete)
  }

  @Test func meshdGetsALongPromiseAndNoFullUpdates() {
    var station = Self.station()
    #expect(station.updates(to: Self.meshd).allSatisfy { $0.interval == Self.promise })
    #expect(station.updates(to: Self.stock).allSatisfy { $0.interval == Interval(centiseconds: 2000) })
    station.sent = []
    station.run(for: .seconds(250))
    #expect(station.updates(to: Self.meshd).count <= 1)
    #expect(station.updates(to: Self.stock).count >= 12)
    station.run(for: .seconds(50))
    #expect(!station.updates(to: Self.meshd).isEmpty)
  }

  @Test func onlyMeshdHearsDigests() {
    var station = Self.station()
    station.run(for: .seconds(10))
    #expect(!digests(station, to: Self.meshd).isEmpty)
    #expect(digests(station, to: Self.stock).isEmpty)
    #expect(digests(station, to: Self.meshd).last?.count == 1)
  }

  @Test func digestWaitsForAcknowledgments() {
    var station = Self.station()
    station.sent = []
    station.perform { $0.originate(IPPrefix.test("fd00::2/128"), at: $1) }
    station.run(for: .milliseconds(1500))
    #expect(digests(station, to: Self.meshd).isEmpty)
    station.acknowledgeAll(from: Self.meshd)
    station.run(for: .seconds(2))
    #expect(digests(station, to: Self.meshd).last?.count == 2)
  }

  @Test func twoDigestsThatDifferAskForEverythingThenForWhatWasNotMentioned() {
    var station = Self.station()
    let gone = IPPrefix.test("fd00::7/128")
    station.receive([Station.update(96, prefix: gone)], from: Self.meshd)
    station.sent = []
    let digest = TLV.digest(SyncDigest())
    station.receive([digest], from: Self.meshd)
    station.run(for: .milliseconds(50))
    #expect(routeRequests(station, to: Self.meshd).isEmpty)
    station.receive([digest], from: Self.meshd)
    station.run(for: .milliseconds(50))
    #expect(routeRequests(station, to: Self.meshd) == [RouteRequest()])
    #expect(station.speaker.counters.resynchronisations == 1)
    station.run(for: .seconds(5))
    for _ in 0..<2 { station.receive([digest], from: Self.meshd) }
    #expect(routeRequests(station, to: Self.meshd) == [RouteRequest(), RouteRequest(prefix: gone)])
    station.receive([Station.retraction(gone)], from: Self.meshd)
    station.sent = []
    for _ in 0..<4 { station.receive([digest], from: Self.meshd) }
    station.run(for: .seconds(20))
    #expect(routeRequests(station, to: Self.meshd).isEmpty)
  }

  /// Its retraction may be lost while there is no link, and the ledgers of the new one agree that it was never said.
  @Test func whatWasHeardWhileTheLinkWasUnusableMustBeSaidAgainOnANewLink() throws {
    var station = Station()
    station.join(Self.meshd) { $0.expected = Station.address(Self.meshd) }
    station.receive([station.ihu(0xFFFF)], from: Self.meshd)
    station.receive([Station.update(96)], from: Self.meshd)
    station.perform { $0.linkDown(Station.id(Self.meshd), at: $1) }
    station.perform { $0.linkUp(Station.id(Self.meshd), at: $1) }
    station.sent = []
    for _ in 0..<2 { station.receive([station.hello(Self.meshd), station.ihu(96)], from: Self.meshd) }
    station.run(for: .seconds(1))
    #expect(station.speaker.neighbour(Station.id(Self.meshd))?.cost.isFinite == true)
    #expect(station.nextHop == nil)
    #expect(routeRequests(station, to: Self.meshd) == [RouteRequest()])
    station.receive([Station.update(96)], from: Self.meshd)
    #expect(station.nextHop == Self.meshd)
  }

  @Test func liarWithDigestsIsAskedSeldom() {
    var station = Self.station()
    station.sent = []
    for number in 0..<600 {
      station.receive([.digest(SyncDigest(hash: UInt64(number), count: 1))], from: Self.meshd)
      station.run(for: .seconds(1))
    }
    #expect(routeRequests(station, to: Self.meshd).count < 15)
  }

  @Test func fullUpdateKeepsItsPace() {
    var station = Station()
    for number in 0..<6000 {
      station.perform { $0.originate(IPPrefix.test("fd00::\(number >> 8):\(number & 255)/128"), at: $1) }
    }
    station.join(Self.stock)
    station.run(for: .seconds(3))
    station.sent = []
    station.receive([.routeRequest(RouteRequest())], from: Self.stock)
    let start = station.now
    station.run(for: .seconds(4))
    let packets = station.sent.filter { $0.to == Self.stock && $0.messages.count > 20 }
    let early = packets.filter { start.duration(to: $0.time) < .milliseconds(200) }
    #expect(packets.count > 60)
    #expect(early.count < 48)
    #expect(Set(station.updates(to: Self.stock).map(\.prefix)).count == 6000)
  }

  @Test func requestsOfOneEventTravelTogether() {
    var station = Station()
    let prefixes = (1...200).map { IPPrefix.test("fd00::\($0)/128") }
    for neighbour in 1...2 { station.join(neighbour) }
    for (neighbour, metric) in [(1, UInt16(96)), (2, 500)] {
      for chunk in 0..<10 {
        let part = prefixes[chunk * 20..<chunk * 20 + 20]
        station.receive(part.map { Station.update(metric, prefix: $0) }, from: neighbour)
      }
      station.run(for: .seconds(5))
    }
    station.sent = []
    station.receive([.wildcardRetraction], from: 1)
    #expect(station.seqnoRequests.count == 200)
    let packets = station.sent.filter { packet in
      packet.messages.contains { if case .seqnoRequest = $0 { true } else { false } }
    }
    #expect(packets.count <= 7)
  }

  @Test(arguments: SimulationTests.seeds)
  func bothEndsAgreeAfterLossAndCuts(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var network = VirtualNetwork(count: 8, seed: seed)
    var edges: [(Int, Int)] = []
    for node in 1..<8 { edges.append((Int(random.next() % UInt64(node)), node)) }
    for node in 0..<8
    where !edges.contains(where: { $0 == (node, (node + 3) % 8) || $0 == ((node + 3) % 8, node) }) {
      edges.append((node, (node + 3) % 8))
    }
    for (a, b) in edges { network.connect(a, b, delay: .milliseconds(Int(1 + random.next() % 40))) }
    network.setLoss(0.3)
    for _ in 0..<5 {
      let (a, b) = edges[Int(random.next() % UInt64(edges.count))]
      network.cut(a, b)
      network.run(for: .milliseconds(Int(random.next() % 6000)))
      network.heal(a, b)
      network.run(for: .milliseconds(Int(random.next() % 3000)))
    }
    network.setLoss(0)
    network.run(for: .seconds(60))
    network.expectConverged()
    for (a, b) in edges {
      for (from, to) in [(a, b), (b, a)] {
        let told = network.speakers[from].linkSyncs[NeighbourID(UInt32(to))]?.told.digest
        let heard = network.speakers[to].linkSyncs[NeighbourID(UInt32(from))]?.heard.digest
        #expect(told == heard && told != nil, "\(from) to \(to), seed \(seed)")
      }
    }
  }
}
