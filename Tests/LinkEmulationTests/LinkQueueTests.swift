import LinkEmulation
import Net
import Testing

@Suite struct LinkQueueTests {
  private var queue = LinkQueue(seed: 1)

  /// Sends frames of 1250 octets (10 000 bits), one at each time, and returns when each arrives: its number and the time.
  private mutating func schedule(_ times: [Instant]) -> [(number: UInt8, time: Instant)] {
    for (number, time) in times.enumerated() {
      queue.send(TestFrame.opaque(UInt8(truncatingIfNeeded: number), length: 1250), at: time)
    }
    var arrivals: [(UInt8, Instant)] = []
    while queue.deadline < .distantFuture {
      let now = queue.deadline
      while let frame = queue.next(at: now) { arrivals.append((frame.payload[0], now)) }
    }
    return arrivals
  }

  @Test mutating func aPerfectWirePassesFramesAtOnce() {
    #expect(queue.deadline == .distantFuture)
    queue.send(TestFrame.opaque(1), at: .ms(5))
    #expect(queue.deadline == .ms(5))
    #expect(queue.next(at: .ms(5)) == TestFrame.opaque(1))
    #expect(queue.next(at: .ms(5)) == nil)
    #expect(queue.counters.delivered == 1)
  }

  @Test mutating func aFrameArrivesAfterTheDelayAndNotBefore() {
    queue.impairment.delay = .milliseconds(40)
    queue.send(TestFrame.opaque(1), at: .ms(5))
    #expect(queue.deadline == .ms(45))
    #expect(queue.next(at: .ms(44.999_999)) == nil)
    #expect(queue.next(at: .ms(45)) != nil)
  }

  @Test mutating func jitterStaysWithinItsBoundsAndKeepsTheOrder() {
    queue.impairment.delay = .milliseconds(40)
    queue.impairment.jitter = .milliseconds(5)
    let arrivals = schedule((0..<200).map { .ms(Double($0)) })
    #expect(arrivals.map(\.number) == (0..<200).map { UInt8($0) })
    let delays = arrivals.map { Instant.ms(Double($0.number)).duration(to: $0.time) }
    #expect(delays.allSatisfy { (.milliseconds(35)...(.milliseconds(45))).contains($0) })
    #expect(Set(delays).count > 100)
  }

  @Test mutating func jitterReordersWhereItMay() {
    queue.impairment.delay = .milliseconds(40)
    queue.impairment.jitter = .milliseconds(5)
    queue.impairment.mayReorder = true
    let arrivals = schedule((0..<200).map { .ms(Double($0)) })
    #expect(arrivals.map(\.number) != (0..<200).map { UInt8($0) })
    #expect(arrivals.map(\.number).sorted() == (0..<200).map { UInt8($0) })
    #expect(zip(arrivals, arrivals.dropFirst()).allSatisfy { $0.time <= $1.time })
  }

  @Test mutating func jitterMakesNoDelayNegative() {
    queue.impairment.jitter = .milliseconds(5)
    let arrivals = schedule((0..<100).map { .ms(Double($0)) })
    #expect(arrivals.allSatisfy { $0.time >= .ms(Double($0.number)) })
  }

  @Test mutating func lossFollowsTheSeedAndNothingElse() {
    queue.impairment.loss = 0.25
    var other = LinkQueue(seed: 1)
    other.impairment.loss = 0.25
    other.impairment.delay = .milliseconds(10)
    other.impairment.jitter = .milliseconds(3)
    for number in 0..<200 {
      queue.send(TestFrame.opaque(UInt8(number)), at: .ms(Double(number)))
      other.send(TestFrame.opaque(UInt8(number)), at: .ms(Double(number)))
    }
    var arrived: [[UInt8]] = [[], []]
    while let frame = queue.next(at: .ms(1000)) { arrived[0].append(frame.payload[0]) }
    while let frame = other.next(at: .ms(1000)) { arrived[1].append(frame.payload[0]) }
    #expect(arrived[0] == arrived[1])
    #expect((120...180).contains(arrived[0].count))
    #expect(queue.counters.dropped(.loss) == 200 - arrived[0].count)
  }

  @Test mutating func aLossOfOneIsTotalAndOfZeroNone() {
    queue.impairment.loss = 1
    #expect(schedule((0..<100).map { .ms(Double($0)) }).isEmpty)
    queue.impairment.loss = 0
    #expect(schedule((100..<200).map { .ms(Double($0)) }).count == 100)
  }

  @Test mutating func aSerialLineSendsOneFrameAfterTheOther() {
    queue.impairment.rate = 10_000_000  // 1 ms each
    let arrivals = schedule([.ms(0), .ms(0), .ms(0), .ms(10)])
    #expect(arrivals.map(\.time) == [.ms(1), .ms(2), .ms(3), .ms(11)])
  }

  @Test mutating func aBurstPassesAtOnceAndIsPaidBack() {
    queue.impairment.rate = 10_000_000
    queue.impairment.burst = 2500
    let arrivals = schedule([.ms(10), .ms(10), .ms(10), .ms(10), .ms(13)])
    #expect(arrivals.map(\.time) == [.ms(10), .ms(10), .ms(11), .ms(12), .ms(13)])
  }

  @Test mutating func aFullQueueDropsWhatComesLast() {
    queue.impairment.rate = 10_000_000
    queue.impairment.queue = 2500
    let arrivals = schedule([.ms(0), .ms(0), .ms(0), .ms(1), .ms(1)])
    #expect(arrivals.map(\.number) == [0, 1, 3])
    #expect(queue.counters.dropped(.queue) == 2)
  }

  @Test mutating func aFasterRateHoldsForWhatIsWaiting() {
    queue.impairment.rate = 10_000
    for number in 0..<3 { queue.send(TestFrame.opaque(UInt8(number), length: 1250), at: .ms(0)) }
    #expect(queue.next(at: .ms(500)) == nil)
    queue.impairment.rate = nil
    #expect(queue.deadline <= .ms(500))
    #expect((0..<3).allSatisfy { queue.next(at: .ms(500))?.payload[0] == UInt8($0) })
  }

  @Test mutating func theDelayCountsFromTheEndOfTheTransmission() {
    queue.impairment.rate = 10_000_000
    queue.impairment.delay = .milliseconds(20)
    #expect(schedule([.ms(0), .ms(0)]).map(\.time) == [.ms(21), .ms(22)])
  }

  @Test mutating func aDirectionThatGoesDownLosesWhatIsOnItsWay() {
    queue.impairment.delay = .milliseconds(20)
    queue.send(TestFrame.opaque(1), at: .ms(0))
    queue.impairment.isDown = true
    queue.send(TestFrame.opaque(2), at: .ms(1))
    queue.impairment.isDown = false
    queue.send(TestFrame.opaque(3), at: .ms(2))
    #expect(queue.next(at: .ms(100))?.payload[0] == 3)
    #expect(queue.next(at: .ms(100)) == nil)
    #expect(queue.counters.dropped(.down) == 2)
  }

  @Test func latenessIsMeasuredInShares() {
    var lateness = Lateness()
    #expect(lateness.quantile(0.99) == .zero)
    for _ in 0..<98 { lateness.add(.microseconds(15)) }
    lateness.add(.microseconds(295))
    lateness.add(.seconds(1))
    #expect(lateness.quantile(0.5) == .microseconds(20))
    #expect(lateness.quantile(0.99) == .microseconds(300))
    #expect(lateness.quantile(1) == .seconds(1))
    #expect(lateness.maximum == .seconds(1))
  }
}
