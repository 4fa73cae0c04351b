internal import Net

/// Which of the last 16 Hellos of one series arrived (RFC 8966 appendix A.1).
struct HelloHistory: Sendable {
  /// One bit per Hello, newest in the highest.
  private(set) var bits: UInt16 = 0
  /// The number that the next Hello should have.
  private(set) var expected: Seqno?
  /// When the next Hello counts as missed.
  private(set) var deadline = Instant.distantFuture
  /// When the next Hello is late; it may still come.
  private(set) var lateness = Instant.distantFuture
  /// When the next Hello is due.
  private var due = Instant.distantFuture
  private var interval = Interval.zero

  /// What a Hello says about the neighbour.
  enum Finding {
    /// It goes on as before.
    case continues
    /// Its number is out of line: the neighbour started again and knows nothing of us.
    case restarted
  }

  /// Takes a Hello.
  mutating func receive(_ hello: Hello, at now: Instant) -> Finding {
    var finding = Finding.continues
    let step = expected.map { hello.seqno.distance(from: $0) } ?? 0
    if abs(step) > 16 {
      bits = 0
      finding = .restarted
    } else if step < 0 {
      // It was counted as missed too early: take those misses back.
      bits <<= UInt16(-step)
    } else {
      bits >>= UInt16(step)
    }
    bits = bits >> 1 | 0x8000
    expected = hello.seqno.successor
    // An unscheduled Hello promises nothing, and takes no promise back.
    if hello.interval != .zero {
      interval = hello.interval
      expectNext(from: now)
    }
    return finding
  }

  /// babeld's Hellos are up to a fourth late.
  private mutating func expectNext(from now: Instant) {
    due = now.advanced(by: interval.duration)
    lateness = now.advanced(by: interval.duration * 13 / 10)
    deadline = now.advanced(by: interval.duration * 3 / 2)
  }

  /// Takes something else that was heard at `time` for the Hello that was due by then.
  mutating func vouch(at time: Instant) {
    guard bits != 0, due <= time else { return }
    bits = bits >> 1 | 0x8000
    expected = expected?.successor
    expectNext(from: time)
  }

  /// Whether the next Hello is late and this was not said before.
  mutating func becameLate(at now: Instant) -> Bool {
    guard lateness <= now else { return false }
    lateness = .distantFuture
    return bits != 0
  }

  /// Counts the Hellos that should have come by now as missed.
  mutating func expire(at now: Instant) {
    while deadline <= now, bits != 0 {
      bits >>= 1
      expected = expected?.successor
      deadline = deadline.advanced(by: interval.duration)
      due = due.advanced(by: interval.duration)
    }
    // Nothing is left to lose, so there is nothing to wait for until the next Hello.
    if bits == 0 { (due, lateness, deadline) = (.distantFuture, .distantFuture, .distantFuture) }
  }

  /// Whether two of the last three Hellos arrived (appendix A.2.1, k = 2, j = 3).
  var isUsable: Bool { (bits & 0xE000).nonzeroBitCount >= 2 }

  /// Whether the last that the neighbour has promised is that it goes.
  var isFarewell: Bool { interval.isFarewell }

  /// Whether any is missing since the oldest that arrived.
  var showsLoss: Bool { bits.nonzeroBitCount < UInt16.bitWidth - bits.trailingZeroBitCount }
}
