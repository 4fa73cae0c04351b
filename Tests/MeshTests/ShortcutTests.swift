import Net
import Testing

@testable import Mesh

@Suite struct ShortcutTests {
  private static let start = Instant(nanoseconds: 1_000_000_000)

  @Test func probesSurviveTheWire() {
    for isAnswer in [false, true] {
      for addresses in [[], [.v4(IPv4Address(10, 1, 2, 3)), .v6(IPv6Address(high: 1, low: 2))]]
        as [[IPAddress]]
      {
        let probe = DirectProbe(isAnswer: isAnswer, nonce: 0x0102_0304, addresses: addresses)
        #expect(DirectProbe(reading: probe.payload.span.bytes) == probe)
      }
    }
    let probe = DirectProbe(isAnswer: true, nonce: 7, addresses: [.v4(IPv4Address(10, 1, 2, 3))])
    #expect(probe.payload == [42, 2, 0, 13, 225, 11, 0x80, 0, 0, 0, 0, 7, 1, 10, 1, 2, 3])
  }

  @Test func everythingElseIsNoProbe() {
    let good = DirectProbe(isAnswer: false, nonce: 7, addresses: [.v4(IPv4Address(10, 1, 2, 3))]).payload
    for length in 0..<good.count { #expect(DirectProbe(reading: Array(good[..<length]).span.bytes) == nil) }
    for index in [0, 1, 2, 3, 4, 5, 12] {
      var bad = good
      bad[index] ^= 0x41
      #expect(DirectProbe(reading: bad.span.bytes) == nil, "octet \(index)")
    }
  }

  private static func opened() -> Shortcut {
    var shortcut = Shortcut()
    shortcut.ask(1, at: start)
    shortcut.open(at: start)
    return shortcut
  }

  private func step(
    _ shortcut: inout Shortcut, after time: Duration, sent: Duration? = nil, received: Duration = .zero,
    isWanted: Bool = true
  ) -> Shortcut.Step {
    shortcut.step(
      dataSent: Self.start.advanced(by: sent ?? .zero), received: Self.start.advanced(by: received),
      roundTrip: .milliseconds(20), isWanted: isWanted, at: Self.start.advanced(by: time))
  }

  @Test func nobodyAsksForWhatNobodyWants() {
    var shortcut = Shortcut()
    #expect(step(&shortcut, after: .zero, isWanted: false) == .nothing)
    #expect(step(&shortcut, after: .zero) == .ask)
  }

  @Test func threeQuestionsWithoutAnswerCloseIt() {
    var shortcut = Shortcut()
    for count in 0..<3 {
      #expect(step(&shortcut, after: .milliseconds(120 * count)) == .ask)
      shortcut.ask(1, at: Self.start.advanced(by: .milliseconds(120 * count)))
      #expect(step(&shortcut, after: .milliseconds(120 * count + 119)) == .nothing)
    }
    #expect(step(&shortcut, after: .milliseconds(360)) == .close)
    shortcut.close(failed: true, at: Self.start)
    #expect(step(&shortcut, after: .seconds(4)) == .nothing)
    #expect(step(&shortcut, after: .seconds(5)) == .ask)
  }

  @Test func silenceUnderTrafficIsDoubtedAfterAMoment() {
    var shortcut = Self.opened()
    #expect(step(&shortcut, after: .milliseconds(10), sent: .milliseconds(5)) == .nothing)
    #expect(step(&shortcut, after: .milliseconds(100), sent: .milliseconds(99)) == .nothing)
    #expect(step(&shortcut, after: .milliseconds(180), sent: .milliseconds(99)) == .ask)
    #expect(shortcut.state == .open)
  }

  @Test func trafficTheOtherWayIsNoProofForLong() {
    var shortcut = Self.opened()
    #expect(
      step(&shortcut, after: .milliseconds(999), sent: .milliseconds(990), received: .milliseconds(995))
        == .nothing)
    #expect(
      step(&shortcut, after: .milliseconds(1000), sent: .milliseconds(990), received: .milliseconds(995))
        == .ask)
  }

  @Test func idleWaysAreLeftInPeace() {
    var shortcut = Self.opened()
    #expect(step(&shortcut, after: .seconds(100)) == .nothing)
  }
}
