internal import Net

/// What guards one link against replays (RFC 8967 §3): our counter, the neighbour's, and the challenge under way.
struct Authentication: Sendable {
  /// How long an answer to a challenge is waited for (§4.3.1.1).
  private static let challengeLifetime = Duration.seconds(30)
  /// The shortest time between two challenges, and between two answers (§4.3.1).
  private static let spacing = Duration.milliseconds(300)
  /// A neighbour not heard for so long must prove anew that its counter is fresh (§4.3.3).
  private static let lifetime = Duration.seconds(300)

  /// What the counter of a packet says.
  enum Finding {
    /// It is newer than all before.
    case fresh
    /// It was seen, or one after it.
    case replayed
    /// Nothing is known: the neighbour must answer a challenge.
    case unknown
  }

  /// What was accepted last.
  private struct Accepted: Sendable {
    var index: [UInt8]
    // Unicast and multicast overtake each other (RFC 9467 §3.1).
    var unicast: UInt32
    var multicast: UInt32
    var expiry: Instant
  }

  private struct Challenge: Sendable {
    var nonce: [UInt8]
    var expiry: Instant
    var sent: Instant
  }

  private var index: [UInt8]
  private var counter: UInt32 = 0
  private var accepted: Accepted?
  private var challenge: Challenge?
  private var lastReply: Instant?

  /// Begins a life with an index nobody used before.
  init(using random: inout SplitMix64) {
    index = Self.octets(of: random.next())
  }

  /// The counter for the next packet.
  mutating func next(using random: inout SplitMix64) -> AuthenticationTLVs.PacketCounter {
    counter &+= 1
    // A counter that wrapped begins a new life.
    if counter == 0 {
      counter = 1
      index = Self.octets(of: random.next())
    }
    return AuthenticationTLVs.PacketCounter(value: counter, index: index)
  }

  /// Takes the counter of a packet with a valid MAC and the answers in it (§4.3).
  mutating func check(
    _ counter: AuthenticationTLVs.PacketCounter, replies: [[UInt8]], isUnicast: Bool, at now: Instant
  ) -> Finding {
    let expiry = now.advanced(by: Self.lifetime)
    if let challenge, challenge.expiry > now, replies.contains(challenge.nonce) {
      // Used once: the same answer played again would turn the counter back.
      self.challenge = nil
      accepted = Accepted(
        index: counter.index, unicast: counter.value, multicast: counter.value, expiry: expiry)
      return .fresh
    }
    guard let known = accepted, known.expiry > now, known.index == counter.index else { return .unknown }
    guard counter.value > (isUnicast ? known.unicast : known.multicast) else { return .replayed }
    if isUnicast { accepted?.unicast = counter.value } else { accepted?.multicast = counter.value }
    accepted?.expiry = expiry
    return .fresh
  }

  /// The nonce to challenge the neighbour with; `nil` if that was done a moment ago.
  ///
  /// The same until it was answered or expired, or an answer that takes longer than the next challenge would never do.
  mutating func challenge(at now: Instant, using random: inout SplitMix64) -> [UInt8]? {
    if let challenge, challenge.expiry > now {
      guard challenge.sent.advanced(by: Self.spacing) <= now else { return nil }
      self.challenge?.sent = now
      return challenge.nonce
    }
    let nonce = Self.octets(of: random.next()) + Self.octets(of: random.next())
    challenge = Challenge(nonce: nonce, expiry: now.advanced(by: Self.challengeLifetime), sent: now)
    return nonce
  }

  /// Whether a challenge may be answered now.
  mutating func mayReply(at now: Instant) -> Bool {
    if let lastReply, lastReply.advanced(by: Self.spacing) > now { return false }
    lastReply = now
    return true
  }

  /// Forgets the neighbour's counter: it is gone.
  mutating func forgetNeighbour() {
    accepted = nil
    challenge = nil
  }

  private static func octets(of value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
  }
}
