internal import Net

/// Whether a neighbour answers, which is known sooner than whether its Hellos have ceased.
///
/// Whoever is in doubt gets a few Ack Requests in quick succession, which every speaker has to answer (RFC 8966 §3.3).
/// What else is heard meanwhile decides nothing: it proves one direction, an acknowledgment proves both. A neighbour that
/// never acknowledged anything is never doubted; its Hellos are all there is.
struct Liveness: Sendable {
  /// What is thought of the neighbour.
  enum State: Sendable {
    /// It is there, as far as Hellos tell.
    case trusted
    /// It is being asked.
    case doubted
    /// It did not answer; only an answer helps.
    case lost
  }

  /// What to do when `deadline` has come.
  enum Step {
    case probe
    case lost
  }

  private struct Probe: Sendable {
    var opaque: UInt16
    var time: Instant
  }

  /// Requests in one doubt: with 5 % loss in each direction one doubt in ten thousand is wrong.
  private static let probes = 4
  /// More of them where packets were lost of late.
  private static let lossyProbes = 6
  /// As many more for each false alarm of late.
  private static let cautiousProbes = 2
  /// Requests whose answers are waited for.
  private static let memory = 8
  /// How long false alarms and lost requests are remembered.
  private static let caution = Duration.seconds(30)
  /// As many false alarms count.
  private static let mostAlarms = 3

  /// What is thought of the neighbour.
  private(set) var state = State.trusted
  /// How long it takes to answer.
  private(set) var answerTime = AnswerTime()
  /// When the next request leaves, or the neighbour is given up.
  private(set) var deadline = Instant.distantFuture
  /// When it last acknowledged something.
  private(set) var lastAnswer = Instant.zero
  /// When it was given up.
  private(set) var lostSince = Instant.zero
  /// Requests without an answer, in the order in which they were sent.
  private var unanswered: [Probe] = []
  private var probesLeft = 0
  private var alarms = 0
  private var alarmsEnd = Instant.zero
  private var lossEnd = Instant.zero

  /// Whether it acknowledges at all.
  var answers: Bool { answerTime.count > 0 }

  /// Whether a Hello carries a request as well: to find a lost neighbour again, and to know how long answers take, for
  /// which one in eight is enough once there are some.
  func wantsAnswer(to hello: Seqno) -> Bool {
    state == .lost || answerTime.count < AnswerTime.openingCount || hello.rawValue.isMultiple(of: 8)
  }

  /// How much silence is no reason for doubt while packets are sent.
  func patience(at now: Instant) -> Duration {
    answerTime.silence * (1 << falseAlarms(at: now))
  }

  private func falseAlarms(at now: Instant) -> Int { now < alarmsEnd ? alarms : 0 }

  /// Begins to doubt: a request is due at once.
  mutating func doubt(isLossy: Bool, at now: Instant) {
    guard state == .trusted, answers else { return }
    state = .doubted
    probesLeft = isLossy || now < lossEnd ? Self.lossyProbes : Self.probes
    probesLeft += Self.cautiousProbes * falseAlarms(at: now)
    deadline = now
  }

  /// What to do at `deadline`.
  mutating func proceed(at now: Instant) -> Step? {
    guard deadline <= now else { return nil }
    guard probesLeft > 0 else {
      lose(at: now)
      return .lost
    }
    probesLeft -= 1
    deadline = now.advanced(by: answerTime.limit)
    return .probe
  }

  /// Gives the neighbour up.
  mutating func lose(at now: Instant) {
    guard state != .lost else { return }
    state = .lost
    lostSince = now
    deadline = .distantFuture
  }

  /// Notes a request that was sent.
  mutating func sent(_ opaque: UInt16, at now: Instant) {
    if unanswered.count >= Self.memory { unanswered.removeFirst() }
    unanswered.append(Probe(opaque: opaque, time: now))
  }

  /// Takes the acknowledgment of a request, or of anything else if `opaque` is no request's.
  mutating func acknowledge(_ opaque: UInt16, at now: Instant) {
    if let index = unanswered.firstIndex(where: { $0.opaque == opaque }) {
      answerTime.add(unanswered[index].time.duration(to: now))
      if index > 0 { lossEnd = now.advanced(by: Self.caution) }
      unanswered.removeFirst(index + 1)
    }
    lastAnswer = now
    trust(at: now)
  }

  /// Takes the neighbour for present again.
  ///
  /// If it was lost only a moment ago that was a false alarm, or the link is bad: there shall be more patience with it.
  mutating func trust(at now: Instant) {
    if state == .lost, now < lostSince.advanced(by: Self.caution) {
      alarms = min(falseAlarms(at: now) + 1, Self.mostAlarms)
      alarmsEnd = now.advanced(by: Self.caution)
    }
    state = .trusted
    deadline = .distantFuture
  }

  /// Begins anew with a neighbour that did so; the false alarms were the way's, and are remembered.
  mutating func restart() {
    state = .trusted
    deadline = .distantFuture
    unanswered = []
    answerTime = AnswerTime()
  }
}
