import Net
import Testing

@testable import Babel

/// Delay as part of the cost (RFC 9616).
@Suite struct RoundTripTests {
  private static func estimate(_ samples: [Int]) -> RoundTrip {
    var roundTrip = RoundTrip()
    for (second, sample) in samples.enumerated() {
      roundTrip.add(.milliseconds(sample), at: Instant(nanoseconds: Int64(second) * 1_000_000_000))
    }
    return roundTrip
  }

  private static let late = Instant(nanoseconds: 3_600_000_000_000)

  @Test func firstSampleIsTheEstimate() {
    #expect(Self.estimate([42]).smoothed == .milliseconds(42))
  }

  @Test func laterSamplesWeigh42Of256() {
    #expect(Self.estimate([20, 26]).smoothed == .milliseconds(20) + .milliseconds(6) * (42.0 / 256))
  }

  @Test func pathThatChangedIsFollowedAfterTwoSeconds() {
    #expect(Self.estimate([10, 10, 80, 82, 81]).smoothed == .milliseconds(81))
    #expect(Self.estimate([80, 80, 10, 12, 11]).smoothed == .milliseconds(12))
    // The first may have gone one way before and the other after.
    #expect(Self.estimate([10, 10, 45, 82, 81]).smoothed == .milliseconds(81))
  }

  @Test func twoSlowPacketsAreNoOtherPath() throws {
    let smoothed = try #require(Self.estimate([10, 10, 80, 82, 10, 80, 80]).smoothed)
    #expect(smoothed < .milliseconds(50))
  }

  @Test func costDoesNotFollowJitter() {
    let samples = (0..<600).map { 40 + [-9, 4, 8, -3, 0, 7, -8][$0 % 7] }
    var roundTrip = RoundTrip()
    var values: [Duration?] = []
    for (second, sample) in samples.enumerated() {
      roundTrip.add(.milliseconds(sample), at: Instant(nanoseconds: Int64(second) * 1_000_000_000))
      if values.last != roundTrip.settled { values.append(roundTrip.settled) }
    }
    #expect(values.count <= 2)
  }

  @Test func clocksWrapAndMayDiffer() {
    var roundTrip = RoundTrip()
    // Sent at 0xFFFFFFF0 by our clock, 1000 µs at the neighbour, back at 0x2000.
    roundTrip.measure(
      IHU.Timestamps(origin: 0xFFFF_FFF0, receive: 0xFFFF_FF00), hello: 0x2E8, clock: 0x2000, at: Self.late)
    #expect(roundTrip.smoothed == .microseconds(0x2010 - 1000))
  }

  @Test func lessThanNothingIsNothing() {
    var roundTrip = RoundTrip()
    roundTrip.measure(IHU.Timestamps(origin: 100, receive: 0), hello: 150, clock: 200, at: Self.late)
    #expect(roundTrip.smoothed == .zero)
  }

  @Test(arguments: [(UInt32(0), UInt32(700_000_000)), (700_000_000, 0), (0, .max)])
  func timesFromAnotherLifeAreIgnored(hello: UInt32, clock: UInt32) {
    var roundTrip = RoundTrip()
    roundTrip.measure(IHU.Timestamps(origin: 0, receive: 0), hello: hello, clock: clock, at: Self.late)
    #expect(roundTrip.smoothed == nil)
  }

  @Test func pitfall29PacketThatArrivedBeforeTheLastEventTurnsNoClockBack() {
    var station = Station()
    station.join(0)
    station.receive([.hello(Hello(seqno: Seqno(9), interval: Station.long, timestamp: 1000))], from: 0)
    station.run(for: .seconds(5))
    let now = station.now
    // It waited in a queue while the speaker went on.
    station.now = Instant(nanoseconds: now.nanoseconds - 3_000_000_000)
    station.receive(
      [
        .hello(Hello(seqno: Seqno(10), interval: Station.long, timestamp: 2000)),
        .ihu(
          IHU(
            address: .v6(Station.linkLocal), rxcost: Metric(96), interval: Station.long,
            timestamps: IHU.Timestamps(
              origin: station.speaker.clock.time(at: now), receive: 1500))),
      ], from: 0)
    station.now = now
    #expect(station.speaker.neighbour(Station.id(0))?.roundTrip == nil)
    #expect(station.speaker.neighbour(Station.id(0))?.cost == Metric(96))
    station.run(for: .seconds(5))
    #expect(station.speaker.nextDeadline > station.now)
  }

  @Test func timesFromBeforeTheLinkAreIgnored() {
    var roundTrip = RoundTrip(at: Instant(nanoseconds: 5_000_000_000))
    let now = Instant(nanoseconds: 6_000_000_000)
    roundTrip.measure(IHU.Timestamps(origin: 0, receive: 0), hello: 0, clock: 1_000_001, at: now)
    #expect(roundTrip.smoothed == nil)
    roundTrip.measure(IHU.Timestamps(origin: 0, receive: 0), hello: 0, clock: 1_000_000, at: now)
    #expect(roundTrip.smoothed == .seconds(1))
  }

  @Test func helloWithoutTimestampEndsTheEcho() {
    var roundTrip = RoundTrip()
    roundTrip.hear(7, at: 8)
    #expect(roundTrip.echo == IHU.Timestamps(origin: 7, receive: 8))
    roundTrip.hear(nil, at: 9)
    #expect(roundTrip.echo == nil)
  }

  @Test func estimateThatNothingConfirmsIsForgotten() {
    var roundTrip = Self.estimate([50])
    roundTrip.expire(at: Instant(nanoseconds: 179_000_000_000))
    #expect(roundTrip.settled == .milliseconds(50))
    roundTrip.expire(at: Instant(nanoseconds: 180_000_000_000))
    #expect(roundTrip.settled == nil)
  }

  @Test(arguments: [(5, 0), (10, 0), (65, 48), (120, 96), (500, 96)])
  func stockPenaltyIsThatOfBabeld(milliseconds: Int, cost: UInt16) {
    #expect(DelayPenalty.stock.cost(of: .milliseconds(milliseconds)) == Metric(cost))
  }

  @Test(arguments: [(10, 0), (205, 200), (400, 400), (1000, 400)])
  func meshPenaltyTellsContinentsApart(milliseconds: Int, cost: UInt16) {
    #expect(DelayPenalty.mesh.cost(of: .milliseconds(milliseconds)) == Metric(cost))
  }

  // MARK: The speaker

  @Test func stockNeighbourGetsTimestampsOnceItSendsThem() {
    var station = Station()
    station.join(0)
    station.run(for: .seconds(4))
    #expect(station.timestampedHellos == 0)
    station.receive(
      [.hello(Hello(seqno: Seqno(9), interval: Station.long, timestamp: 0x1234_5678))], from: 0)
    station.sent = []
    station.run(for: .seconds(4))
    #expect(station.hellos > 0)
    #expect(station.timestampedHellos == station.hellos)
  }

  @Test func timesInAnIHUStandBesideATimestampedHello() throws {
    var station = Station()
    station.join(0)
    station.receive(
      [.hello(Hello(seqno: Seqno(9), interval: Station.long, timestamp: 0x1234_5678))], from: 0)
    let arrival = station.speaker.clock.time(at: station.now)
    station.sent = []
    station.run(for: .seconds(10))
    let timed = station.sent.filter { $0.messages.contains { $0.ihuTimes != nil } }
    #expect(!timed.isEmpty)
    for packet in timed {
      #expect(packet.messages.filter(\.hasTimestamp).count == 1)
      let times = packet.messages.compactMap(\.ihuTimes)
      #expect(times == [IHU.Timestamps(origin: 0x1234_5678, receive: arrival)])
    }
  }

  @Test func timestampIsThatOfTheDepartureNotOfTheWriting() throws {
    var speaker = Speaker(routerID: Station.routerID, seqno: Seqno(1), seed: 3)
    let settings = NeighbourSettings(
      ourLinkLocal: Station.linkLocal, expected: Station.address(0), isMeshd: true)
    speaker.addNeighbour(NeighbourID(0), settings, at: .zero)
    speaker.linkUp(NeighbourID(0), at: .zero)
    guard case .send(_, let packet)? = speaker.poll() else {
      Issue.record("nothing was sent")
      return
    }
    let later = Instant(nanoseconds: 7_000_000)
    let messages = Captures.messages(packet.payload(at: later), from: Station.linkLocal)
    guard case .hello(let hello)? = messages.first else {
      Issue.record("no Hello")
      return
    }
    #expect(hello.timestamp == speaker.clock.time(at: later))
  }

  @Test func delayIsPartOfTheCostAndVisible() throws {
    var station = Station()
    station.join(0)
    station.receive([Station.update(0)], from: 0)
    #expect(station.speaker.neighbour(Station.id(0))?.roundTrip == nil)
    // Our Hello left 115 ms ago and rested 50 ms at the neighbour.
    let origin = station.speaker.clock.time(at: station.now) &- 115_000
    station.receive(
      [
        .hello(Hello(seqno: Seqno(9), interval: Station.long, timestamp: 150_000)),
        .ihu(
          IHU(
            address: .v6(Station.linkLocal), rxcost: Metric(96), interval: Station.long,
            timestamps: IHU.Timestamps(origin: origin, receive: 100_000))),
      ], from: 0)
    let view = try #require(station.speaker.neighbour(Station.id(0)))
    #expect(view.roundTrip == .milliseconds(65))
    #expect(view.cost == Metric(96 + 48))
  }

  @Test func timesOfAnIHUForSomeoneElseAreNotOurs() {
    var station = Station()
    station.join(0)
    station.receive(
      [
        .hello(Hello(seqno: Seqno(9), interval: Station.long, timestamp: 150_000)),
        .ihu(
          IHU(
            address: .v6(Station.address(5)), rxcost: Metric(96), interval: Station.long,
            timestamps: IHU.Timestamps(origin: 0, receive: 100_000))),
      ], from: 0)
    #expect(station.speaker.neighbour(Station.id(0))?.roundTrip == nil)
  }

  // MARK: Networks

  /// 0 reaches 3 through 1 (10 ms round trip) and through 2 (40 ms).
  private static func diamond(seed: UInt64, jitter: Duration = .zero) -> VirtualNetwork {
    var network = VirtualNetwork(count: 4, seed: seed)
    for (a, b, delay) in [(0, 1, 5), (1, 3, 5), (0, 2, 20), (2, 3, 5)] {
      network.connect(a, b, delay: .milliseconds(delay), delayPenalty: .mesh)
      for edge in [VirtualNetwork.Edge(from: a, to: b), VirtualNetwork.Edge(from: b, to: a)] {
        network.links[edge]?.jitter = jitter
      }
    }
    return network
  }

  @Test(arguments: SimulationTests.seeds)
  func trafficLeavesAPathWhoseDelayGrewWithinTenSeconds(seed: UInt64) throws {
    var network = Self.diamond(seed: seed)
    network.run(for: .seconds(40))
    #expect(network.nextHop(0, VirtualNetwork.prefix(3)) == 1, "seed \(seed)")
    network.setDelay(.milliseconds(40), between: 0, 1)
    network.run(for: .seconds(10))
    #expect(network.nextHop(0, VirtualNetwork.prefix(3)) == 2, "seed \(seed)")
    #expect(network.nextHop(3, VirtualNetwork.prefix(0)) == 2, "seed \(seed)")
  }

  @Test(arguments: SimulationTests.seeds)
  func unfeasibleWayIsAskedForWhenTheDirectOneBecomesFarWorse(seed: UInt64) {
    var network = VirtualNetwork(count: 3, seed: seed)
    for (a, b) in [(0, 1), (0, 2), (2, 1)] { network.connect(a, b, delayPenalty: .mesh) }
    network.run(for: .seconds(40))
    #expect(network.nextHop(0, VirtualNetwork.prefix(1)) == 1, "seed \(seed)")
    network.setDelay(.milliseconds(150), between: 0, 1)
    network.run(for: .seconds(15))
    // What 2 announces is no better than what 0 once did: it takes a newer number from 1.
    #expect(network.nextHop(0, VirtualNetwork.prefix(1)) == 2, "seed \(seed)")
    #expect(network.nextHop(1, VirtualNetwork.prefix(0)) == 2, "seed \(seed)")
  }

  @Test(arguments: SimulationTests.seeds)
  func jitterOfFiveMillisecondsMovesTrafficAtMostOnceInTenMinutes(seed: UInt64) {
    // Every packet is up to 5 ms early or late.
    var network = Self.diamond(seed: seed, jitter: .milliseconds(10))
    network.run(for: .seconds(20))
    var changes = 0
    var last = network.nextHop(0, VirtualNetwork.prefix(3))
    for _ in 0..<1200 {
      network.run(for: .milliseconds(500))
      let next = network.nextHop(0, VirtualNetwork.prefix(3))
      if next != last { changes += 1 }
      last = next
    }
    #expect(changes <= 1, "seed \(seed)")
  }
}

extension Station {
  fileprivate var hellos: Int { sent.flatMap(\.messages).filter(\.isHello).count }
  fileprivate var timestampedHellos: Int { sent.flatMap(\.messages).filter(\.hasTimestamp).count }
}

extension TLV {
  fileprivate var isHello: Bool {
    guard case .hello = self else { return false }
    return true
  }

  fileprivate var hasTimestamp: Bool {
    guard case .hello(let hello) = self else { return false }
    return hello.timestamp != nil
  }

  fileprivate var ihuTimes: IHU.Timestamps? {
    guard case .ihu(let ihu) = self else { return nil }
    return ihu.timestamps
  }
}
