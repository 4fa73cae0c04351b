import Net
import Testing

@testable import Mesh

/// The questions under way along one path.
@Suite struct PathProbingTests {
  private let start = Instant(nanoseconds: 1_000_000_000)
  private let timeout = Duration.milliseconds(300)

  @Test func questionWithoutAnAnswerIsLateOnce() {
    var probing = PathProbing()
    probing.ask(1, at: start)
    probing.ask(2, size: 1400, at: start)
    #expect(probing.lateness(timeout: timeout) == start.advanced(by: timeout))
    #expect(probing.takeLate(timeout: timeout, at: start.advanced(by: timeout)) == 1)
    #expect(probing.takeLate(timeout: timeout, at: start.advanced(by: timeout * 2)) == 0)
  }

  /// Questions to whoever had the peer's address elsewhere are no loss of the path that leads to the peer now.
  @Test func excusedQuestionIsNeverLateAndMayBeAnswered() {
    var probing = PathProbing()
    probing.ask(1, at: start)
    probing.ask(2, at: start)
    probing.excuseLate()
    probing.ask(3, at: start.advanced(by: timeout))
    #expect(probing.takeLate(timeout: timeout, at: start.advanced(by: timeout)) == 0)
    let answer = probing.take(2, at: start.advanced(by: .milliseconds(310)))
    #expect(answer?.roundTrip == .milliseconds(310) && answer?.size == nil)
    #expect(probing.takeLate(timeout: timeout, at: start.advanced(by: timeout * 2)) == 1)
  }
}
