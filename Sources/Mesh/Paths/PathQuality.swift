internal import Net

/// What answers tell of one path: its round-trip time, how much that varies, and how many of the last probes were lost.
struct PathQuality {
  /// Probes that loss is counted over.
  private static let window = 32
  /// So many probes in a row without an answer, and the path is silent.
  static let patience = 3
  /// What it costs that every packet is lost.
  private static let lossPenalty = Duration.seconds(1)

  /// The smoothed round-trip time; `nil` before the first answer.
  private(set) var roundTrip: Duration?
  /// How many results loss is counted over.
  private(set) var count = 0
  /// Whether that is no more than the time a handshake took.
  private var isEstimate = true
  /// Probes without an answer since the last one that had one.
  private(set) var unanswered = 0
  /// How far samples are from the smoothed time, smoothed.
  private var variation = Duration.zero
  /// The last results, the newest in the lowest bit: set if there was an answer.
  private var results: UInt32 = 0

  /// An answer took `sample` (RFC 6298 §2, with the same weights).
  mutating func answered(after sample: Duration) {
    // What was lost while nothing came through says nothing about what comes through now.
    if isSilent { (results, count) = (0, 0) }
    note(isAnswered: true)
    unanswered = 0
    guard let old = roundTrip, !isEstimate else {
      (roundTrip, variation) = (sample, sample / 2)
      isEstimate = false
      return
    }
    variation = (variation * 3 + (sample > old ? sample - old : old - sample)) / 4
    roundTrip = (old * 7 + sample) / 8
  }

  /// A handshake was answered after `sample`: the way and much arithmetic, which is all that is known of a path to a peer
  /// that answers no probes.
  mutating func estimated(_ sample: Duration) {
    unanswered = 0
    guard isEstimate else { return }
    (roundTrip, variation) = (sample, sample / 2)
  }

  /// No answer came in time.
  mutating func lost() {
    note(isAnswered: false)
    unanswered += 1
  }

  /// What was lost so far is no reason to think that anything will be.
  mutating func forgetLosses() { results = .max }

  private mutating func note(isAnswered: Bool) {
    results = results << 1 | (isAnswered ? 1 : 0)
    count = min(count + 1, Self.window)
  }

  /// Whether it is known that nothing comes back.
  var isSilent: Bool { unanswered >= Self.patience }

  /// Whether it has begun to answer and is not known well enough to be compared with others.
  var isFresh: Bool { count > 0 && count < ProbeInterval.openingCount && !isSilent }

  /// The part of the last probes that was lost, 0…1.
  var loss: Double {
    guard count > 0 else { return 0 }
    let mask = count < 32 ? UInt32(1) << UInt32(count) - 1 : .max
    return 1 - Double((results & mask).nonzeroBitCount) / Double(count)
  }

  /// When an answer is late; a guess before there was one.
  ///
  /// A path of which every answer were late would be asked ever more, for want of one.
  var timeout: Duration {
    guard let roundTrip else { return .milliseconds(300) }
    let most = min(max(.seconds(1), roundTrip * 3 / 2), PathProbing.memory)
    return min(max(roundTrip + variation * 4, .milliseconds(60)), most)
  }

  /// What paths are compared by: the round-trip time, and for each hundredth of loss ten milliseconds more.
  var cost: Duration? {
    roundTrip.map { $0 + Self.lossPenalty * loss }
  }
}
