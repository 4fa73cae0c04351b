import Net
import Testing

@testable import Babel

/// Who is asked whether it is there, and what comes of the answer.
@Suite struct LivenessTests {
  /// A link to a neighbour that answers the requests beside the first Hellos after `answerTime`.
  private func open(isMeshd: Bool = true, answerTime: Duration? = .milliseconds(1)) -> Station {
    var station = Station()
    station.join(1) { $0.isMeshd = isMeshd }
    station.receive([Station.update(96)], from: 1)
    // `join` left requests unanswered, which is forgotten by then.
    let end = station.now.advanced(by: .seconds(35))
    while station.now < end {
      station.sent = []
      station.run(for: station.now.duration(to: min(station.speaker.nextDeadline, end)))
      guard let answerTime, !requests(station).isEmpty else { continue }
      station.run(for: answerTime)
      answer(&station)
    }
    station.sent = []
    return station
  }

  private func requests(_ station: Station) -> [(time: Instant, opaque: UInt16)] {
    station.sent.flatMap { packet in
      packet.messages.compactMap { message in
        guard case .acknowledgmentRequest(let opaque, _) = message else { return nil }
        return (packet.time, opaque)
      }
    }
  }

  /// Tells the speaker every 20 ms, as a node does, of traffic since `start` that nothing has come back for.
  private func sendInVain(_ station: inout Station, since start: Instant, for duration: Duration) {
    let end = station.now.advanced(by: duration)
    while station.now < end {
      let now = station.now
      station.perform { speaker, _ in
        speaker.observe(
          LinkActivity(unansweredSince: start, lastHeard: start, lastSent: now, lastReceived: .zero),
          of: Station.id(1), at: now)
      }
      station.run(for: .milliseconds(20))
    }
  }

  private func answer(_ station: inout Station) {
    guard let request = requests(station).last else { return }
    station.receive([.acknowledgment(opaque: request.opaque)], from: 1, isUnicast: true)
  }

  /// The neighbour answers, says that it hears us, and announces what it has.
  private func comeBack(_ station: inout Station) {
    answer(&station)
    station.receive([station.ihu(96), Station.update(96)], from: 1)
    station.run(for: .milliseconds(1))
  }

  private func cost(_ station: Station) -> Metric? { station.speaker.neighbour(Station.id(1))?.cost }

  // MARK: Silence under traffic

  @Test func silenceUnderTrafficIsQuestionedAndThenBelieved() {
    var station = open()
    let start = station.now
    sendInVain(&station, since: start, for: .milliseconds(140))
    #expect(requests(station).isEmpty)
    sendInVain(&station, since: start, for: .milliseconds(200))
    let asked = requests(station).map { start.duration(to: $0.time) }
    #expect(asked == [160, 210, 260, 310].map { .milliseconds($0) })
    #expect(station.nextHop == 1)
    sendInVain(&station, since: start, for: .milliseconds(20))
    #expect(station.nextHop == nil)
    #expect(cost(station) == .infinity)
    // It is told, in case that the way there is fine.
    let told = station.sent.flatMap(\.messages).compactMap {
      if case .ihu(let ihu) = $0 { ihu.rxcost } else { nil }
    }
    #expect(told.last == .infinity)
  }

  @Test func answerEndsTheDoubt() {
    var station = open()
    let start = station.now
    sendInVain(&station, since: start, for: .milliseconds(280))
    #expect(requests(station).count == 3)
    answer(&station)
    station.run(for: .milliseconds(900))
    #expect(station.nextHop == 1)
    #expect(requests(station).count == 3)
  }

  @Test func otherMessagesAreNoAnswer() {
    var station = open()
    let start = station.now
    sendInVain(&station, since: start, for: .milliseconds(200))
    station.receive([station.hello(1), station.ihu(96)], from: 1)
    station.run(for: .milliseconds(300))
    // It hears nothing of us, though we hear it.
    #expect(station.nextHop == nil)
  }

  @Test func lostNeighbourIsFoundAgainByItsAnswerToAHello() {
    var station = open()
    sendInVain(&station, since: station.now, for: .milliseconds(400))
    #expect(station.nextHop == nil)
    station.sent = []
    station.run(for: .milliseconds(500))
    #expect(!requests(station).isEmpty)
    comeBack(&station)
    #expect(station.nextHop == 1)
    #expect(cost(station) == .wired)
  }

  @Test func hellosOfALostNeighbourThatAnswersNothingAreNotEnough() {
    var station = open()
    sendInVain(&station, since: station.now, for: .milliseconds(400))
    for _ in 0..<10 {
      station.receive([station.hello(1), station.ihu(96)], from: 1)
      station.run(for: .seconds(1))
    }
    #expect(station.nextHop == nil)
    // Its IHU tells of Hellos that it heard later.
    station.run(for: .seconds(3))
    station.receive([station.hello(1), station.ihu(96), Station.update(96)], from: 1)
    station.run(for: .milliseconds(1))
    #expect(station.nextHop == 1)
  }

  @Test func trafficThatBreaksOffIsQuestionedOnce() {
    var station = open()
    let start = station.now
    let activity = LinkActivity(
      unansweredSince: nil, lastHeard: start, lastSent: .zero, lastReceived: start)
    for _ in 0..<30 {
      station.perform { $0.observe(activity, of: Station.id(1), at: $1) }
      if requests(station).count == 1 { answer(&station) }
      station.run(for: .milliseconds(20))
    }
    #expect(requests(station).count == 1)
    #expect(station.nextHop == 1)
  }

  @Test func slowNeighbourGetsMorePatience() {
    var station = open(isMeshd: false, answerTime: .milliseconds(120))
    let start = station.now
    sendInVain(&station, since: start, for: .milliseconds(220))
    #expect(requests(station).isEmpty)
    sendInVain(&station, since: start, for: .milliseconds(480))
    #expect(station.nextHop == 1)
    sendInVain(&station, since: start, for: .milliseconds(400))
    #expect(station.nextHop == nil)
  }

  @Test func neighbourThatNeverAnsweredIsNotDoubted() {
    var station = open(answerTime: nil)
    station.sent = []
    sendInVain(&station, since: station.now, for: .seconds(3))
    #expect(station.nextHop == 1)
  }

  @Test func falseAlarmsMakePatient() {
    var station = open()
    var waits: [Duration] = []
    for _ in 0..<3 {
      let start = station.now
      while station.nextHop == 1, start.duration(to: station.now) < .seconds(5) {
        sendInVain(&station, since: start, for: .milliseconds(20))
      }
      waits.append(start.duration(to: station.now))
      comeBack(&station)
      station.run(for: .milliseconds(1500))
    }
    #expect(waits[0] < .milliseconds(450))
    #expect(waits[1] > waits[0] + .milliseconds(200))
    #expect(waits[2] > waits[1] + .milliseconds(300))
  }

  // MARK: Hellos

  @Test func lateHelloIsAskedAboutAndAnAnswerIsAsGood() {
    var station = open()
    for _ in 0..<3 {
      station.receive([station.hello(1, interval: Interval(centiseconds: 100)), station.ihu(96)], from: 1)
      station.run(for: .seconds(1))
    }
    var answers = 0
    for _ in 0..<200 {
      station.sent = []
      station.run(for: .milliseconds(100))
      guard !requests(station).isEmpty else { continue }
      answers += 1
      answer(&station)
    }
    #expect((10...30).contains(answers))
    #expect(cost(station) == .wired)
  }

  @Test func idleNeighbourWhoseHellosCeaseIsLostBeforeTheSecondIsMissed() {
    var station = open()
    station.receive([station.hello(1, interval: Interval(centiseconds: 100)), station.ihu(96)], from: 1)
    station.run(for: .milliseconds(1290))
    #expect(requests(station).isEmpty)
    station.run(for: .milliseconds(300))
    // The last one goes with the Hello that tells it.
    #expect(requests(station).count == 5)
    #expect(station.nextHop == nil)
  }

  @Test func anythingOfAMeshdIsAsGoodAsItsHello() {
    for isMeshd in [true, false] {
      var station = open(isMeshd: isMeshd, answerTime: nil)
      station.receive([station.hello(1, interval: Interval(centiseconds: 100)), station.ihu(96)], from: 1)
      for _ in 0..<80 {
        let now = station.now
        station.perform { speaker, _ in
          speaker.observe(
            LinkActivity(unansweredSince: nil, lastHeard: now, lastSent: .zero, lastReceived: now),
            of: Station.id(1), at: now)
        }
        station.run(for: .milliseconds(100))
      }
      // Of another speaker it may be the kernel that goes on without it.
      #expect(cost(station) == (isMeshd ? .wired : .infinity))
    }
  }

  @Test func hellosBecomeRareWithoutTrafficAndFrequentWithIt() {
    var station = Station()
    station.join(1) { $0.isMeshd = true }
    func intervals() -> [Int] {
      station.sent.flatMap(\.messages).compactMap {
        if case .hello(let hello) = $0 { Int(hello.interval.centiseconds) } else { nil }
      }
    }
    station.run(for: .seconds(50))
    #expect(Set(intervals()) == [100])
    station.run(for: .seconds(20))
    station.sent = []
    station.run(for: .seconds(60))
    #expect(Set(intervals()) == [200])
    station.run(for: .seconds(500))
    station.sent = []
    station.run(for: .seconds(60))
    #expect(Set(intervals()) == [400])
    let hellos = station.sent.filter { $0.messages.contains { if case .hello = $0 { true } else { false } } }
    for (former, next) in zip(hellos, hellos.dropFirst()) {
      #expect(former.time.duration(to: next.time) <= .seconds(4))
    }
    station.sent = []
    station.perform { speaker, now in
      speaker.observe(
        LinkActivity(unansweredSince: nil, lastHeard: now, lastSent: now, lastReceived: now),
        of: Station.id(1), at: now)
    }
    station.run(for: .milliseconds(1000))
    #expect(intervals() == [100])
  }

  // MARK: Failures that are known

  @Test func neighbourThatCannotBeReachedIsLostAtOnce() {
    var station = open()
    station.perform { $0.linkFailed(Station.id(1), at: $1) }
    #expect(station.nextHop == nil)
    station.run(for: .milliseconds(20))
    comeBack(&station)
    #expect(station.nextHop == 1)
  }

  @Test func linkThatFailsAgainAndAgainCostsMoreUntilItHolds() {
    var station = open()
    var costs: [UInt16] = []
    for _ in 0..<5 {
      station.perform { $0.linkFailed(Station.id(1), at: $1) }
      station.run(for: .milliseconds(100))
      comeBack(&station)
      station.run(for: .seconds(2))
      costs.append(cost(station)?.rawValue ?? 0)
    }
    #expect(costs == [96, 192, 288, 480, 864])
    station.run(for: .seconds(30))
    #expect(cost(station) == .wired)
  }

  @Test(arguments: 1...20)
  func penaltyIsBounded(failures: Int) {
    var damping = Damping()
    for _ in 0..<failures { damping.fail(at: Instant(nanoseconds: 1)) }
    #expect(damping.penalty.rawValue <= 16 * 96)
    damping.expire(at: Instant(nanoseconds: 1).advanced(by: .seconds(30)))
    #expect(damping.penalty == .zero && damping.end == .distantFuture)
  }
}

/// How long a neighbour takes to answer.
@Suite struct AnswerTimeTests {
  @Test func limitFollowsSamplesAndTheirSpread() {
    var time = AnswerTime()
    #expect(time.limit == .milliseconds(250))
    // The first answer waited for everything to start.
    for sample in [400, 100, 120, 100] { time.add(.milliseconds(sample)) }
    #expect(time.limit == .milliseconds(200))
    for _ in 0..<40 { time.add(.milliseconds(100)) }
    #expect(time.limit < .milliseconds(105))
    for index in 0..<40 { time.add(.milliseconds(index % 2 == 0 ? 60 : 140)) }
    #expect(time.limit > .milliseconds(220))
  }

  @Test func nothingIsLateWithinFiftyMillisecondsAndNoSilenceIsLongerThanASecond() {
    var near = AnswerTime()
    var far = AnswerTime()
    for _ in 0..<20 {
      near.add(.microseconds(300))
      far.add(.milliseconds(900))
    }
    #expect(near.limit == .milliseconds(50) && near.silence == .milliseconds(150))
    #expect(far.limit >= .milliseconds(900) && far.silence == .seconds(1))
  }
}
