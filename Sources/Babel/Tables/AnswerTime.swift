/// How long a neighbour takes to acknowledge: the way, and its thinking (RFC 6298 §2).
struct AnswerTime: Sendable {
  /// The smoothed samples; `nil` without any.
  private(set) var smoothed: Duration?
  /// How far samples are from that, smoothed.
  private var spread = Duration.zero
  /// How many samples there were.
  private(set) var count = 0

  /// How many samples are taken as soon as the link opens.
  static let openingCount = 4

  /// Takes a sample.
  ///
  /// Of the first ones the shortest is nearest to the truth: everything may just be starting.
  mutating func add(_ sample: Duration) {
    count += 1
    guard let old = smoothed, count > Self.openingCount else {
      smoothed = min(sample, smoothed ?? sample)
      spread = (smoothed ?? sample) / 4
      return
    }
    spread = (spread * 3 + (sample > old ? sample - old : old - sample)) / 4
    smoothed = (old * 7 + sample) / 8
  }

  /// When an answer is late; a guess without samples.
  var limit: Duration {
    smoothed.map { max($0 + spread * 4, .milliseconds(50)) } ?? .milliseconds(250)
  }

  /// How much silence is no reason for doubt while packets are sent.
  var silence: Duration {
    smoothed.map { min(max($0 * 2 + spread * 4, .milliseconds(150)), .seconds(1)) } ?? .seconds(1)
  }
}
