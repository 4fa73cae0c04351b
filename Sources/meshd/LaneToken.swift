/// What a lane waits for.
enum LaneToken: UInt64 {
  /// The control thread has news.
  case wakeup
  /// The TUN queue or the IPv4 socket has packets.
  case first
  /// The IPv6 socket has packets.
  case second

  /// Batches that a lane takes before it looks for news again, however many packets wait.
  static let turnLimit = 64
}
