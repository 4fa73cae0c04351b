internal import Net

/// The direct way to a peer that is no Babel neighbour, for our own packets to its own addresses (`decisions.md` 19).
///
/// It is open only while the peer answers that it takes them. Any doubt closes it, and packets go by Babel's route.
struct Shortcut {
  /// What is known about the way.
  enum State {
    case closed
    /// The peer was asked for the first time.
    case asking
    /// The peer takes our packets.
    case open
  }

  /// Without an answer to so many questions the way is closed.
  private static let attempts = 3
  /// Between two questions, besides the round trip.
  private static let retry = Duration.milliseconds(100)
  /// How long the peer may be silent when packets are sent to it.
  private static let silence = Duration.milliseconds(150)
  /// How old an answer may be while packets are sent.
  private static let validity = Duration.seconds(1)

  /// What is known about the way.
  private(set) var state = State.closed
  /// What the answer must have.
  private(set) var nonce: UInt32 = 0
  /// Before, the peer is not asked again after it did not want to.
  private(set) var quietUntil = Instant.zero
  private var unanswered = 0
  private var askedAt = Instant.zero
  private var answeredAt = Instant.zero
  private var silentSince: Instant?
  private var failures = 0

  /// What is to be done now.
  enum Step {
    case nothing
    case ask
    case close
  }

  /// Finds out what is to be done, given when data was last sent and anything last received, and how far the peer is.
  mutating func step(
    dataSent: Instant, received: Instant, roundTrip: Duration, isWanted: Bool, at now: Instant
  ) -> Step {
    if unanswered > 0 {
      guard now >= askedAt.advanced(by: roundTrip + Self.retry) else { return .nothing }
      return unanswered < Self.attempts ? .ask : .close
    }
    guard state == .open else { return isWanted && quietUntil <= now ? .ask : .nothing }
    silentSince = dataSent > received ? silentSince ?? now : nil
    if let silentSince, now >= silentSince.advanced(by: Self.silence + roundTrip) { return .ask }
    let isOld = now >= answeredAt.advanced(by: Self.validity)
    return isOld && dataSent > answeredAt ? .ask : .nothing
  }

  /// Whether something may have to be done before the next look at all peers.
  func isUrgent(dataSent: Instant, received: Instant) -> Bool {
    unanswered > 0 || (state == .open && dataSent > received)
  }

  /// Notes that a question leaves.
  mutating func ask(_ nonce: UInt32, at now: Instant) {
    if state == .closed { state = .asking }
    if unanswered == 0 { self.nonce = nonce }
    unanswered += 1
    askedAt = now
  }

  /// Notes that the peer takes our packets.
  mutating func open(at now: Instant) {
    state = .open
    unanswered = 0
    silentSince = nil
    answeredAt = now
    failures = 0
  }

  /// Closes the way, and leaves the peer alone for a while if it was its doing.
  mutating func close(failed: Bool, at now: Instant) {
    state = .closed
    unanswered = 0
    silentSince = nil
    guard failed else { return }
    quietUntil = now.advanced(by: .seconds(5) * (1 << min(failures, 6)))
    failures += 1
  }

  /// Leaves the peer alone for a moment, while a session is being opened.
  mutating func pause(until instant: Instant) {
    quietUntil = instant
  }
}
