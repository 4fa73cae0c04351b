internal import Net

/// What keeps two meshd nodes of one mind without full updates: what each has told the other, and how far the round
/// through the table is that tells it again.
struct LinkSync: Sendable {
  /// What the neighbour was told.
  var told: Ledger
  /// What it told us.
  var heard: Ledger
  /// Where repeating what was told goes on, each slot once in a promise.
  var refresh = Round()
  /// Where looking for what is no longer true of it goes on.
  var review = Round()
  /// Digests in a row that were not that of `heard`.
  private(set) var mismatches = 0
  /// Before, nothing is asked again.
  private var quietUntil = Instant.zero
  private var patience = Self.shortestPatience
  /// Whether everything was asked for since the two ends agreed last.
  private(set) var askedForAll = false

  private static let shortestPatience = Duration.seconds(4)
  private static let longestPatience = Duration.seconds(64)

  init(strayLimit: Int) {
    told = Ledger(strayLimit: strayLimit)
    heard = Ledger(strayLimit: strayLimit)
  }

  /// A walk over the slots, a share at a time.
  struct Round: Sendable {
    private var next = 0
    /// The part of a slot that is due.
    private var rest = 0.0
    private var last: Instant?

    /// The slots due by now if all of `count` have their turn in each `period`.
    mutating func due(of count: Int, each period: Duration, at now: Instant) -> [Int] {
      defer { last = now }
      guard let last, count > 0 else { return [] }
      rest = min(rest + Double(count) * (last.duration(to: now) / period), Double(count))
      let length = Int(rest)
      rest -= Double(length)
      let first = next < count ? next : 0
      next = (first + length) % count
      return (first..<first + length).map { $0 % count }
    }
  }

  /// What to ask a neighbour for whose digest is not that of what we heard.
  enum Remedy {
    case nothing
    /// All routes.
    case everything
    /// Only those that it did not mention when it was asked for all.
    case missed
  }

  /// Compares the neighbour's digest with what we heard.
  mutating func compare(_ digest: SyncDigest, at now: Instant) -> Remedy {
    guard heard.isComplete, digest != heard.digest else {
      mismatches = 0
      patience = Self.shortestPatience
      askedForAll = false
      return .nothing
    }
    mismatches += 1
    // A digest may have been overtaken once. After that it is as it says.
    guard mismatches >= 2, quietUntil <= now else { return .nothing }
    mismatches = 0
    quietUntil = now.advanced(by: patience)
    patience = min(patience * 2, Self.longestPatience)
    defer { askedForAll.toggle() }
    return askedForAll ? .missed : .everything
  }
}
