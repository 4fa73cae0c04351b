public import Net

/// One health check at work: when to ask, and what the answers mean for the announcement.
///
/// It asks nobody itself. The caller carries out what `advance` wants and reports what came of it with `record`.
public struct HealthCheck: Sendable {
  /// What the answers so far mean.
  public enum State: String, Sendable {
    /// Nothing is known yet: the prefix is not announced.
    case waiting
    /// The prefix may be announced.
    case passing
    /// The prefix is withdrawn.
    case failing
  }

  /// What is to be done.
  public enum Action: Sendable, Equatable {
    /// Ask.
    case ask
    /// Give up the question under way; its failure is counted.
    case abandon
  }

  /// No answer takes longer than this, however rarely somebody asks.
  public static let patience = Duration.seconds(5)

  /// What the configuration says.
  public let settings: Configuration.Check
  /// What the answers so far mean.
  public private(set) var state = State.waiting
  /// How many results in a row speak against the state.
  public private(set) var streak = 0
  /// Why the last question failed; `nil` if it did not.
  public private(set) var reason: String?
  private var nextQuestion: Instant
  private var answerDeadline: Instant?

  /// Makes a check that asks at once.
  public init(_ settings: Configuration.Check, at now: Instant) {
    self.settings = settings
    nextQuestion = now
  }

  /// Whether the prefix may be announced as far as this check goes.
  public var isPassing: Bool { state == .passing }

  /// The check for display.
  public var status: Status.Check {
    Status.Check(
      prefix: settings.prefix, question: "\(settings.question)", state: state, streak: streak, reason: reason)
  }

  /// When `advance` is to be called at the latest.
  public var deadline: Instant { answerDeadline ?? nextQuestion }

  /// Does what is due; at most one thing at a time.
  public mutating func advance(to now: Instant) -> Action? {
    if let answerDeadline {
      guard answerDeadline <= now else { return nil }
      count(failure: "no answer")
      return .abandon
    }
    guard nextQuestion <= now else { return nil }
    answerDeadline = now.advanced(by: min(settings.interval, Self.patience))
    // Not from the time it was due: after a pause, a suspend say, one question is enough.
    nextQuestion = now.advanced(by: settings.interval)
    return .ask
  }

  /// The check as it goes on after its question under way was lost: it asks at once.
  public func restarted(at now: Instant) -> HealthCheck {
    var check = self
    check.answerDeadline = nil
    check.nextQuestion = now
    return check
  }

  /// Takes the result of the question under way; `failure` says why there was no good answer.
  public mutating func record(failure: String?) {
    guard answerDeadline != nil else { return }
    count(failure: failure)
  }

  private mutating func count(failure: String?) {
    answerDeadline = nil
    reason = failure
    switch (state, failure == nil) {
    // The first answer will do: nobody was promised anything yet.
    case (.waiting, true): enter(.passing)
    case (.waiting, false), (.passing, false): speak(for: .failing, needed: settings.failures)
    case (.failing, true): speak(for: .passing, needed: settings.successes)
    case (.passing, true), (.failing, false): streak = 0
    }
  }

  private mutating func speak(for new: State, needed: Int) {
    streak += 1
    if streak >= needed { enter(new) }
  }

  private mutating func enter(_ new: State) {
    state = new
    streak = 0
  }
}
