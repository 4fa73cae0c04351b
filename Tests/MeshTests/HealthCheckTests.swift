import Net
import Testing

@testable import Mesh

/// The machine of a health check, over results that a test decides.
@Suite struct HealthCheckTests {
  static let settings: Configuration.Check = {
    var settings = Configuration.Check(.defaultIPv4, .ping(.v4(IPv4Address(192, 168, 1, 1))))
    settings.successes = 2
    return settings
  }()

  var check = HealthCheck(settings, at: .zero)
  var now = Instant.zero

  /// Asks when it is time to, and gives the answer.
  mutating func answer(_ failure: String? = nil) {
    now = max(now, check.deadline)
    #expect(check.advance(to: now) == .ask)
    check.record(failure: failure)
  }

  @Test mutating func firstQuestionIsAtOnceAndItsAnswerIsEnough() {
    #expect(check.deadline == .zero)
    #expect(!check.isPassing && check.state == .waiting)
    answer()
    #expect(check.isPassing)
    #expect(check.deadline == Instant.zero.advanced(by: .seconds(10)))
    #expect(check.advance(to: Instant.zero.advanced(by: .seconds(9))) == nil)
  }

  @Test mutating func prefixIsWithdrawnAfterFailuresInARowOnly() {
    answer()
    for _ in 0..<5 {
      answer("refused")
      answer("refused")
      #expect(check.isPassing && check.streak == 2 && check.reason == "refused")
      answer()
      #expect(check.isPassing && check.streak == 0 && check.reason == nil)
    }
    for _ in 0..<3 { answer("refused") }
    #expect(check.state == .failing)
  }

  @Test mutating func prefixComesBackAfterSuccessesInARowOnly() {
    for _ in 0..<3 { answer("refused") }
    #expect(check.state == .failing)
    answer()
    answer("refused")
    answer()
    #expect(check.state == .failing && check.streak == 1)
    answer()
    #expect(check.isPassing)
  }

  @Test mutating func neverAnnouncedBeforeItsFirstAnswerHoweverManyFailuresMaySpare() {
    answer("refused")
    #expect(check.state == .waiting)
    answer()
    #expect(check.isPassing)
  }

  @Test mutating func questionWithoutAnswerIsGivenUp() {
    answer()
    now = check.deadline
    #expect(check.advance(to: now) == .ask)
    #expect(check.deadline == now.advanced(by: HealthCheck.patience))
    #expect(check.advance(to: now.advanced(by: .seconds(4))) == nil)
    #expect(check.advance(to: check.deadline) == .abandon)
    #expect(check.streak == 1 && check.reason == "no answer")
    // What comes after that is nobody's answer.
    check.record(failure: "late")
    #expect(check.streak == 1 && check.reason == "no answer")
  }

  @Test func shortIntervalIsAlsoThePatience() {
    var settings = Self.settings
    settings.interval = .milliseconds(200)
    var check = HealthCheck(settings, at: .zero)
    #expect(check.advance(to: .zero) == .ask)
    let end = Instant.zero.advanced(by: .milliseconds(200))
    #expect(check.deadline == end)
    #expect(check.advance(to: end) == .abandon)
    #expect(check.advance(to: end) == .ask)
  }

  @Test mutating func restartKeepsWhatIsKnownAndAsksAtOnce() {
    answer()
    answer("refused")
    #expect(check.advance(to: check.deadline) == .ask)
    var restarted = check.restarted(at: now)
    #expect(restarted.isPassing && restarted.streak == 1)
    #expect(restarted.advance(to: now) == .ask)
  }

  @Test mutating func longPauseIsMadeUpForByOneQuestion() {
    answer()
    now = Instant.zero.advanced(by: .seconds(3600))
    answer()
    #expect(check.deadline == now.advanced(by: .seconds(10)))
  }
}
