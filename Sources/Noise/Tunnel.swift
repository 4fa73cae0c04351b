public import Net

/// The protocol machine of one peer: handshake, sessions, timers and cookies, without any I/O.
///
/// Owned by the control thread. Lanes see its `keypairs` only; what they did with them comes back as events. Every method
/// takes the present as a parameter; after any of them, `poll` until it returns `nil`.
public struct Tunnel: ~Copyable {
  /// What the owner has to do, in this order.
  public enum Output: Sendable, Equatable {
    /// Publish `keypairs` to the lanes, before anything that follows is sent.
    case keypairsChanged
    /// Send this handshake message to the peer's endpoint, with DSCP 0x88.
    case sendHandshake([UInt8])
    /// Send an empty data message under the current keypair.
    case sendKeepalive
    /// A session works: send what is staged. If nothing is and `mustConfirm`, send a keepalive: the peer waits for it.
    case established(mustConfirm: Bool)
    /// Nobody answered 20 initiations: drop what is staged.
    case gaveUp
    /// Forget the source address of the path to the peer, in case it is what fails.
    case forgetSource
  }

  /// The peer's public key.
  public let peer: PublicKey
  /// The key mixed into the next handshake beside the others; the running session keeps the one that it began with.
  public var presharedKey: PresharedKey?
  /// Whether a second copy of the last initiation is answered with the same response, as on another path.
  ///
  /// Stock peers may see a replayed initiation as an attack, so this is for peers that send copies on purpose, and never
  /// under load without a mac2.
  public var answersCopies = false
  /// The sessions.
  public internal(set) var keypairs = KeypairRing()
  /// When the last handshake was completed.
  public internal(set) var lastHandshakeAt: Instant?

  let identity: Identity
  let number: UInt32
  /// The secret of both static keys; `nil` for a public key of low order, with which there is never a handshake.
  ///
  /// Kept, since it is a fifth of a handshake's work. It is as much a long-term secret as the private key (Lafourcade,
  /// Mahmoud, Ruhault, NDSS 2024), so it never leaves locked memory and is wiped with the tunnel.
  let staticSecret: Secret?
  var handshake = Handshake.idle
  var answered: Answered?
  var timers: Timers
  var jar: CookieJar
  // Something asked for a new session while it could not be begun.
  var wantsSession = false
  var lastHandshakeSentAt: Instant?
  var lastInitiationTakenAt: Instant?
  var newestTimestamp: Timestamp?
  private var outputs: [Output] = []

  /// What we have under way as an initiator.
  enum Handshake: ~Copyable {
    case idle
    case initiationSent(SentInitiation)
  }

  /// An initiation that waits for its response.
  struct SentInitiation: ~Copyable {
    let index: ReceiverIndex
    let message: [UInt8]
    let noise: NoiseInitiator
  }

  /// The last initiation that we answered, to know its copies.
  struct Answered {
    let mac1: MAC
    let response: [UInt8]
    let instant: Instant
    var copies = 0
  }

  /// Makes a machine at rest.
  ///
  /// `number` is the owner's number of the peer, under which its receiver indices are filed; `seed` decides the jitter of
  /// the timers and nothing else.
  public init(
    identity: Identity, peer: PublicKey, number: UInt32, presharedKey: PresharedKey? = nil, seed: UInt64
  ) {
    self.identity = identity
    self.peer = peer
    self.number = number
    self.presharedKey = presharedKey
    timers = Timers(seed: seed)
    jar = CookieJar(peer: peer, in: identity.arena)
    do throws(HandshakeError) {
      staticSecret = try identity.privateKey.agree(with: peer, in: identity.arena)
    } catch {
      staticSecret = nil
    }
  }

  /// The earliest instant at which `advance` has work.
  public var nextDeadline: Instant {
    min(timers.nextDeadline, sessionDueAt ?? .distantFuture)
  }

  /// The interval of the persistent keepalive; `nil` while it is off.
  public var persistentKeepalive: Duration? { timers.persistentInterval }

  /// Whether an initiation or data is on its way and the peer has not been heard since: worth a closer look.
  public var awaitsAnswer: Bool { timers.isRetransmitting || timers.awaitsAnswer }

  /// The next thing to do; `nil` when all is done.
  public mutating func poll() -> Output? {
    outputs.isEmpty ? nil : outputs.removeFirst()
  }

  mutating func output(_ output: Output) {
    outputs.append(output)
  }

  /// When an initiation that had to wait may leave.
  private var sessionDueAt: Instant? {
    guard wantsSession, !timers.isRetransmitting else { return nil }
    return lastHandshakeSentAt?.advanced(by: Limits.rekeyTimeout) ?? Instant(nanoseconds: .min)
  }

  // MARK: Time

  /// Does what is due at `now`.
  public mutating func advance(
    to now: Instant, in device: inout Device, using random: inout some RandomNumberGenerator
  ) {
    while let expiry = timers.expire(at: now) {
      switch expiry {
      case .retransmit:
        guard timers.mayRetransmit(at: now) else {
          wantsSession = false
          output(.gaveUp)
          continue
        }
        output(.forgetSource)
        sendInitiation(at: now, in: &device, using: &random)
      case .newHandshake:
        output(.forgetSource)
        timers.attemptsRenewed()
        wantsSession = true
      case .keepalive:
        if sendKeepalive(at: now) { timers.keepaliveTimerSent(at: now) }
      case .persistentKeepalive:
        if sendKeepalive(at: now) { timers.authenticatedPacketSent(at: now) }
      case .zeroKeys:
        erase(in: &device)
      }
    }
    if let due = sessionDueAt, due <= now { sendInitiation(at: now, in: &device, using: &random) }
  }

  /// Asks for a keepalive, or for the session that it needs.
  private mutating func sendKeepalive(at now: Instant) -> Bool {
    guard let current = keypairs.current, current.isAlive(at: now) else {
      timers.attemptsRenewed()
      wantsSession = true
      return false
    }
    output(.sendKeepalive)
    return true
  }

  // MARK: Events

  /// A data message that is no keepalive left at `instant`.
  public mutating func dataSent(at instant: Instant) {
    authenticatedPacketSent(at: instant)
    timers.dataSent(at: instant)
  }

  /// A data message that is no keepalive was accepted at `instant`.
  public mutating func dataReceived(at instant: Instant) {
    authenticatedPacketReceived(at: instant)
    timers.dataReceived(at: instant)
  }

  /// A data message or keepalive left at `instant`: a session near its end is renewed by its initiator.
  public mutating func authenticatedPacketSent(at instant: Instant) {
    timers.authenticatedPacketSent(at: instant)
    guard let current = keypairs.current else { return }
    let isOld = current.isInitiator && instant >= current.createdAt.advanced(by: Limits.rekeyAfterTime)
    if isOld || current.sentCount > Limits.rekeyAfterMessages { wantsSession = true }
  }

  /// A data message or keepalive was accepted at `instant`: a session that only receives is renewed once, late.
  public mutating func authenticatedPacketReceived(at instant: Instant) {
    timers.authenticatedPacketReceived(at: instant)
    guard !timers.lastMinuteRenewalDone, let current = keypairs.current, current.isInitiator,
      instant >= current.createdAt.advanced(by: Limits.lastMinuteRenewal)
    else { return }
    timers.lastMinuteRenewalDone = true
    wantsSession = true
  }

  /// The first packet arrived under a keypair that we answered: `Keypair.confirm` was true for this index.
  public mutating func keyConfirmed(_ index: ReceiverIndex, at now: Instant, in device: inout Device) {
    let before = keypairs
    guard keypairs.confirm(index, yields: identity.publicKey < peer) else { return }
    keypairsChanged(from: before, in: &device)
    handshakeCompleted(at: now, in: &device)
    output(.established(mustConfirm: false))
  }

  /// The interval of the persistent keepalive; `nil` turns it off, a first one is sent at once.
  public mutating func setPersistentKeepalive(_ interval: Duration?, at now: Instant) {
    timers.setPersistentInterval(interval, at: now)
  }

  /// The interface came up: a peer with a persistent keepalive gets one at once.
  public mutating func linkUp(at now: Instant) {
    timers.linkUp(at: now)
  }

  /// The interface went down, or the peer is to be removed: all keys are erased.
  ///
  /// What is staged is the owner's to drop.
  public mutating func linkDown(in device: inout Device) {
    timers.stop()
    wantsSession = false
    erase(in: &device)
  }

  // MARK: Keys

  private mutating func erase(in device: inout Device) {
    dropInitiation(in: &device)
    answered = nil
    let before = keypairs
    keypairs.removeAll()
    keypairsChanged(from: before, in: &device)
  }

  /// Gives back the indices of the keypairs that are gone, and has the others published.
  mutating func keypairsChanged(from before: KeypairRing, in device: inout Device) {
    let kept = keypairs.all
    for keypair in before.all where !kept.contains(where: { $0 === keypair }) {
      device.indices.release(keypair.localIndex)
    }
    output(.keypairsChanged)
  }

  mutating func handshakeCompleted(at now: Instant, in device: inout Device) {
    timers.handshakeCompleted()
    lastHandshakeAt = now
    wantsSession = false
    dropInitiation(in: &device)
  }

  /// Ends the initiation under way; its secrets are wiped and its index is free.
  mutating func dropInitiation(in device: inout Device) {
    if let index = outstandingIndex { device.indices.release(index) }
    handshake = .idle
  }
}
