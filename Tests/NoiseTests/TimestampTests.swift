import Net
import Noise
import Testing

@Suite struct TimestampTests {
  static let epoch = Timestamp(sinceUnixEpoch: .seconds(1_700_000_000))

  @Test func isTAI64NFrom1970() {
    let timestamp = Timestamp(sinceUnixEpoch: .seconds(1_700_000_000) + .nanoseconds(5))
    #expect(timestamp.seconds == 0x4000_0000_0000_000A + 1_700_000_000 && timestamp.nanoseconds == 5)
    #expect(timestamp.bytes == [0x40, 0, 0, 0, 0x65, 0x53, 0xF1, 0x0A, 0, 0, 0, 5])
    let before = Timestamp(sinceUnixEpoch: .nanoseconds(-1))
    #expect(before.seconds == 0x4000_0000_0000_0009 && before.nanoseconds == 999_999_999)
  }

  @Test func isWhitenedToTheGrain() {
    var clock = TimestampClock(epoch: Self.epoch)
    let stamp = clock.stamp(at: Instant(nanoseconds: 123_456_789))
    #expect(stamp.nanoseconds % (1 << 24) == 0 && stamp.nanoseconds == 7 << 24)
  }

  @Test func growsStrictlyWhateverTheClockDoes() {
    var random = SplitMix64(seed: 5)
    var clock = TimestampClock(epoch: Self.epoch)
    var last = Timestamp(seconds: 0, nanoseconds: 0)
    for _ in 0..<5_000 {
      let now = Instant(nanoseconds: Int64.random(in: -4_000_000_000...4_000_000_000, using: &random))
      let stamp = clock.stamp(at: now)
      #expect(stamp > last && stamp.nanoseconds % (1 << 24) == 0 && stamp.nanoseconds < 1_000_000_000)
      last = stamp
    }
  }

  @Test func aRestartWithTheClockAnHourBackStaysNewer() {
    var clock = TimestampClock(epoch: Self.epoch)
    let last = clock.stamp(at: .seconds(100))
    #expect(clock.highWaterMark > last)
    let back = Self.epoch.advanced(by: .seconds(-3_600))
    var next = TimestampClock(epoch: back, highWaterMark: clock.highWaterMark)
    #expect(next.stamp(at: .seconds(101)) > clock.highWaterMark)
  }

  @Test func theMarkMovesOnceAMinute() {
    var clock = TimestampClock(epoch: Self.epoch)
    var marks: Set<Timestamp> = []
    for second in 0..<600 {
      let stamp = clock.stamp(at: .seconds(Double(second)))
      #expect(stamp <= clock.highWaterMark)
      marks.insert(clock.highWaterMark)
    }
    #expect(marks.count <= 11)
  }

  @Test func theClockMayShowAnything() {
    for nanoseconds in [Int64.min, -1, 0, .max] {
      for epoch in [Timestamp(seconds: 0, nanoseconds: 0), Timestamp(seconds: .max, nanoseconds: .max)] {
        var clock = TimestampClock(epoch: epoch, highWaterMark: epoch)
        _ = clock.stamp(at: Instant(nanoseconds: nanoseconds))
      }
    }
  }
}
