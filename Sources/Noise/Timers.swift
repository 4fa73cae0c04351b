internal import Net

/// The five timers of whitepaper §6 as deadlines, after the kernel's `timers.c`.
///
/// - *retransmit*: an initiation was sent and no handshake completed for `rekeyTimeout`: send another, up to 20.
/// - *keepalive*: data was received and nothing authenticated sent for `keepaliveTimeout`: send a keepalive.
/// - *new handshake*: data was sent and nothing authenticated received for the sum of these two: start over.
/// - *zero keys*: no new session for three times `rejectAfterTime`: erase everything.
/// - *persistent keepalive*: nothing authenticated went either way for the interval that was asked for.
///
/// Call sites name the event, not the timer. Lanes note the instants of their packets and the control thread reports them
/// a moment later, the two directions in any order. So an event stops a timer only if it is no earlier than the one that
/// started it, and starts one only if nothing later has already answered it.
struct Timers {
  /// The timer that ran out.
  enum Expiry: CaseIterable {
    case retransmit
    case keepalive
    case newHandshake
    case zeroKeys
    case persistentKeepalive
  }

  /// A timer that one event starts and a later one stops.
  private struct Guard {
    var since: Instant
    var deadline: Instant
  }

  /// The interval of the persistent keepalive.
  private(set) var persistentInterval: Duration?
  /// How often the initiation in flight has been repeated.
  private(set) var attempts = 0
  /// Whether a session that only receives was renewed already.
  var lastMinuteRenewalDone = false

  private var retransmit: Instant?
  private var keepalive: Guard?
  private var needsAnotherKeepalive = false
  private var newHandshake: Guard?
  private var zeroKeys: Instant?
  private var persistentKeepalive: Instant?
  private var lastSent = Instant(nanoseconds: .min)
  private var lastReceived = Instant(nanoseconds: .min)
  private var random: SplitMix64

  /// Makes timers that are all at rest.
  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
  }

  /// Whether an initiation is in flight and will be repeated.
  var isRetransmitting: Bool { retransmit != nil }

  /// Whether data was sent and nothing has been heard since.
  var awaitsAnswer: Bool { newHandshake != nil }

  /// The earliest deadline.
  var nextDeadline: Instant {
    Expiry.allCases.reduce(.distantFuture) { min($0, deadline(of: $1) ?? .distantFuture) }
  }

  // MARK: Events

  /// A data message that is no keepalive left.
  mutating func dataSent(at instant: Instant) {
    guard newHandshake == nil, instant >= lastReceived else { return }
    let wait = Limits.keepaliveTimeout + Limits.rekeyTimeout + jitter()
    newHandshake = Guard(since: instant, deadline: instant.advanced(by: wait))
  }

  /// A data message that is no keepalive was accepted.
  mutating func dataReceived(at instant: Instant) {
    guard instant >= lastSent else { return }
    guard keepalive == nil else {
      needsAnotherKeepalive = true
      return
    }
    keepalive = Guard(since: instant, deadline: instant.advanced(by: Limits.keepaliveTimeout))
  }

  /// Anything authenticated left: data, a keepalive, a handshake message.
  mutating func authenticatedPacketSent(at instant: Instant) {
    lastSent = max(lastSent, instant)
    authenticatedPacketPassed(at: instant)
    guard let keepalive, keepalive.since <= instant else { return }
    self.keepalive = nil
    needsAnotherKeepalive = false
  }

  /// Anything authenticated arrived: data, a keepalive, a handshake message.
  mutating func authenticatedPacketReceived(at instant: Instant) {
    lastReceived = max(lastReceived, instant)
    authenticatedPacketPassed(at: instant)
    guard let newHandshake, newHandshake.since <= instant else { return }
    self.newHandshake = nil
  }

  private mutating func authenticatedPacketPassed(at instant: Instant) {
    guard let persistentInterval else { return }
    persistentKeepalive = max(
      persistentKeepalive ?? Instant(nanoseconds: .min), instant.advanced(by: persistentInterval))
  }

  /// An initiation left.
  mutating func initiationSent(at now: Instant) {
    retransmit = now.advanced(by: Limits.rekeyTimeout + jitter())
  }

  /// A keypair was derived, in either role.
  mutating func sessionDerived(at now: Instant) {
    zeroKeys = now.advanced(by: Limits.zeroKeysAfterTime)
  }

  /// The session is known to work both ways.
  mutating func handshakeCompleted() {
    retransmit = nil
    attempts = 0
    lastMinuteRenewalDone = false
  }

  /// Somebody wants a session anew: the count of attempts starts over.
  mutating func attemptsRenewed() {
    attempts = 0
  }

  /// The interval was set; a new one is due at once, as when `wg` sets it.
  mutating func setPersistentInterval(_ interval: Duration?, at now: Instant) {
    let wasOff = persistentInterval == nil
    persistentInterval = interval
    guard let interval, interval > .zero else {
      (persistentInterval, persistentKeepalive) = (nil, nil)
      return
    }
    persistentKeepalive = wasOff ? now : now.advanced(by: interval)
  }

  /// The interface came up.
  mutating func linkUp(at now: Instant) {
    if persistentInterval != nil { persistentKeepalive = now }
  }

  /// The interface went down: all at rest.
  mutating func stop() {
    (retransmit, keepalive, newHandshake, zeroKeys, persistentKeepalive) = (nil, nil, nil, nil, nil)
    needsAnotherKeepalive = false
    handshakeCompleted()
  }

  // MARK: Expiry

  /// Takes the timer that ran out first, or `nil` when none has by `now`.
  ///
  /// It is at rest until an event starts it again; only the persistent keepalive starts itself.
  mutating func expire(at now: Instant) -> Expiry? {
    var first: (expiry: Expiry, deadline: Instant)?
    for expiry in Expiry.allCases {
      guard let deadline = deadline(of: expiry), deadline <= now else { continue }
      if let first, first.deadline <= deadline { continue }
      first = (expiry, deadline)
    }
    guard let expiry = first?.expiry else { return nil }
    switch expiry {
    case .retransmit: retransmit = nil
    case .newHandshake: newHandshake = nil
    case .zeroKeys: zeroKeys = nil
    case .keepalive: keepalive = nil
    case .persistentKeepalive: persistentKeepalive = persistentInterval.map { now.advanced(by: $0) }
    }
    return expiry
  }

  /// The retransmit timer ran out: whether another initiation may follow.
  mutating func mayRetransmit(at now: Instant) -> Bool {
    guard attempts + 1 < Limits.initiationAttempts else {
      keepalive = nil
      needsAnotherKeepalive = false
      zeroKeys = zeroKeys ?? now.advanced(by: Limits.zeroKeysAfterTime)
      return false
    }
    attempts += 1
    return true
  }

  /// The keepalive timer ran out and its keepalive has left: if data came in meanwhile, one more will follow.
  mutating func keepaliveTimerSent(at now: Instant) {
    let needsAnother = needsAnotherKeepalive
    authenticatedPacketSent(at: now)
    guard needsAnother else { return }
    needsAnotherKeepalive = false
    // From just after this keepalive, which does not count as the one more, however often it is reported.
    keepalive = Guard(
      since: now.advanced(by: .nanoseconds(1)), deadline: now.advanced(by: Limits.keepaliveTimeout))
  }

  private func deadline(of expiry: Expiry) -> Instant? {
    switch expiry {
    case .retransmit: retransmit
    case .keepalive: keepalive?.deadline
    case .newHandshake: newHandshake?.deadline
    case .zeroKeys: zeroKeys
    case .persistentKeepalive: persistentKeepalive
    }
  }

  private mutating func jitter() -> Duration {
    .nanoseconds(Int64.random(in: 0...Limits.rekeyJitter.nanoseconds, using: &random))
  }
}
