internal import Net

/// One initiation on several paths: the path in use first, the others a moment later, unless it was answered meanwhile.
///
/// Copies are the same bytes: a second initiation within REKEY_TIMEOUT is one that a peer ignores, or one that replaces
/// the session of the first (`decisions.md` 20). What the others are behind is what they must be faster by to win.
struct HandshakeRace {
  /// The advantage of the path in use.
  static let advantage = Duration.milliseconds(10)

  /// When the paths that were left out have their turn; `nil` after that.
  var fanOut: Instant?
  /// The candidates that have the initiation.
  var tried: [UInt32] = []
}
