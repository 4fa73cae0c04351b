internal import Net

/// The questions to a peer that are under way along one path.
struct PathProbing {
  /// Questions that an answer is awaited of; the oldest is given up for the next.
  static let capacity = 16
  /// An answer that takes longer is none.
  static let memory = Duration.seconds(3)

  private struct Question {
    var nonce: UInt32
    var sent: Instant
    /// The size of the packet, if that is what was asked; the loss of such a one tells nothing else.
    var size: Int?
    /// Whether it counts as lost already.
    var isLate = false
  }

  /// What an answer tells.
  struct Answer {
    /// How long it took.
    var roundTrip: Duration
    /// The size that has passed, if that was the question.
    var size: Int?
    /// Whether it had been counted as lost.
    var isLate: Bool
  }

  /// When the last question whether the path lives left.
  private(set) var lastAsked = Instant(nanoseconds: .min)
  /// When the newest of the questions left that were answered.
  private(set) var lastAnswered = Instant(nanoseconds: .min)
  private var questions: [Question] = []

  /// Makes the next question due.
  mutating func askSoon() { lastAsked = Instant(nanoseconds: .min) }

  /// A question leaves.
  mutating func ask(_ nonce: UInt32, size: Int? = nil, at now: Instant) {
    if questions.count >= Self.capacity { questions.removeFirst() }
    questions.append(Question(nonce: nonce, sent: now, size: size))
    if size == nil { lastAsked = now }
  }

  /// Takes an answer; `nil` if the question was not asked here, or too long ago.
  mutating func take(_ nonce: UInt32, at arrival: Instant) -> Answer? {
    guard let index = questions.firstIndex(where: { $0.nonce == nonce }) else { return nil }
    let question = questions.remove(at: index)
    lastAnswered = max(lastAnswered, question.sent)
    return Answer(
      roundTrip: max(.zero, question.sent.duration(to: arrival)), size: question.size, isLate: question.isLate
    )
  }

  /// How many questions whether the path lives have become late since the last call.
  mutating func takeLate(timeout: Duration, at now: Instant) -> Int {
    var count = 0
    for index in questions.indices where !questions[index].isLate {
      guard questions[index].sent.advanced(by: timeout) <= now else { continue }
      questions[index].isLate = true
      if questions[index].size == nil { count += 1 }
    }
    questions.removeAll { $0.sent.advanced(by: Self.memory) <= now }
    return count
  }

  /// Counts none of the questions under way as lost, whatever becomes of them.
  mutating func excuseLate() {
    for index in questions.indices { questions[index].isLate = true }
  }

  /// When the next question becomes late.
  func lateness(timeout: Duration) -> Instant {
    questions.lazy.filter { !$0.isLate && $0.size == nil }.map { $0.sent.advanced(by: timeout) }.min()
      ?? .distantFuture
  }
}
