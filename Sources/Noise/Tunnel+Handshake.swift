public import Net

// The four messages. Each method checks everything before it changes anything, so that whatever is refused leaves the
// machine as it was.
extension Tunnel {
  /// The bytes of the initiation that waits for a response, to be sent to endpoints that were not tried yet.
  ///
  /// Within `Limits.rekeyTimeout` a second path gets these and never a fresh one, which the peer would ignore.
  public var outstandingInitiation: [UInt8]? {
    switch handshake {
    case .initiationSent(let sent): sent.message
    case .idle: nil
    }
  }

  var outstandingIndex: ReceiverIndex? {
    switch handshake {
    case .initiationSent(let sent): sent.index
    case .idle: nil
    }
  }

  /// A packet waits and there is no session for it: begins a handshake, now or when the last one is 5 s ago.
  ///
  /// Nothing happens while an initiation is under way. With `renewingAttempts`, which user data deserves (whitepaper
  /// §6.4), the 20 attempts start over; without, the peer is given up even though somebody keeps asking.
  public mutating func initiate(
    renewingAttempts: Bool = true, at now: Instant, in device: inout Device,
    using random: inout some RandomNumberGenerator
  ) {
    if renewingAttempts || !timers.isRetransmitting { timers.attemptsRenewed() }
    guard !timers.isRetransmitting else { return }
    wantsSession = true
    advance(to: now, in: &device, using: &random)
  }

  mutating func sendInitiation(
    at now: Instant, in device: inout Device, using random: inout some RandomNumberGenerator
  ) {
    wantsSession = false
    dropInitiation(in: &device)
    let timestamp = device.timestamps.stamp(at: now).bytes
    guard let noise = beginHandshake(timestamp, using: &random) else { return }
    let index = device.indices.allocate(for: number, using: &random)
    var message = HandshakeInitiation.encode(sender: index, noise.message)
    jar.seal(&message, index: index, at: now)
    handshake = .initiationSent(SentInitiation(index: index, message: message, noise: noise))
    lastHandshakeSentAt = now
    timers.initiationSent(at: now)
    timers.authenticatedPacketSent(at: now)
    output(.sendHandshake(message))
  }

  /// The first step of Noise; `nil` for a peer whose public key is of low order: it never gets a packet.
  private borrowing func beginHandshake(_ timestamp: [UInt8], using random: inout some RandomNumberGenerator)
    -> NoiseInitiator?
  {
    let prologue = KeyLabels.prologue
    switch staticSecret {
    case nil: return nil
    case .some(let staticSecret):
      do throws(HandshakeError) {
        return try NoiseInitiator.start(
          prologue: prologue.bytes, privateKey: identity.privateKey, responder: peer,
          staticSecret: staticSecret, payload: timestamp.bytes, in: identity.arena, using: &random)
      } catch {
        return nil
      }
    }
  }

  /// The second step of Noise for an initiation that claims to be this peer's.
  private borrowing func authenticate(_ initiation: borrowing OpenedInitiation) throws(HandshakeError)
    -> NoiseResponder
  {
    guard initiation.peer == peer else { throw .unauthentic }
    switch staticSecret {
    case nil: throw .weakPublicKey
    case .some(let staticSecret): return try initiation.claim.authenticate(staticSecret: staticSecret)
    }
  }

  /// What an authentic initiation led to.
  public enum Answer: Sendable, Equatable {
    /// A new session. The endpoint that the initiation came from is the peer's: the response goes there.
    case session
    /// The same initiation again, by another path: send this to where the copy came from, and move nothing.
    case copy(response: [UInt8])
  }

  /// Answers an initiation of this peer, which the gate admitted: a new session waits for its first packet.
  public mutating func consume(
    _ initiation: borrowing OpenedInitiation, at now: Instant, in device: inout Device,
    using random: inout some RandomNumberGenerator
  ) throws(HandshakeError) -> Answer {
    let responder = try authenticate(initiation)
    guard let timestamp = Timestamp(responder.payload.bytes) else {
      throw .unauthentic
    }
    if let response = answerToCopy(initiation.message.mac1, at: now) { return .copy(response: response) }
    if let newestTimestamp, timestamp <= newestTimestamp { throw .replayed }
    if let last = lastInitiationTakenAt, now < last.advanced(by: Limits.initiationInterval) { throw .flooded }
    let answer = try responder.respond(
      payload: RawSpan(), presharedKey: presharedKey, in: identity.arena, using: &random)

    newestTimestamp = timestamp
    lastInitiationTakenAt = now
    let index = device.indices.allocate(for: number, using: &random)
    var response = HandshakeResponse.encode(
      sender: index, receiver: initiation.message.sender, answer.message)
    jar.seal(&response, index: index, at: now)
    answered = Answered(mac1: initiation.message.mac1, response: response, instant: now)
    let before = keypairs
    keypairs.install(
      answered: answer.keys.keypair(
        localIndex: index, remoteIndex: initiation.message.sender, isInitiator: false, createdAt: now))
    keypairsChanged(from: before, in: &device)
    timers.authenticatedPacketReceived(at: now)
    timers.authenticatedPacketSent(at: now)
    timers.sessionDerived(at: now)
    lastHandshakeSentAt = now
    output(.sendHandshake(response))
    return .session
  }

  /// The answer to an initiation that was answered a moment ago; a recorded one that is played back gets few, and none
  /// that is longer than itself.
  private mutating func answerToCopy(_ mac1: MAC, at now: Instant) -> [UInt8]? {
    guard answersCopies, let answered, answered.mac1 == mac1, answered.copies < Limits.answeredCopies,
      now < answered.instant.advanced(by: Limits.copyTime)
    else { return nil }
    self.answered?.copies += 1
    return answered.response
  }

  /// Takes the response to our newest initiation: its session is the current one at once.
  public mutating func consume(
    _ response: HandshakeResponse, at now: Instant, in device: inout Device
  ) throws(HandshakeError) {
    let keypair = try accept(response, at: now)
    // The index lives on in the keypair.
    handshake = .idle
    let before = keypairs
    keypairs.install(initiated: keypair)
    keypairsChanged(from: before, in: &device)
    timers.authenticatedPacketReceived(at: now)
    timers.sessionDerived(at: now)
    handshakeCompleted(at: now, in: &device)
    output(.established(mustConfirm: true))
  }

  /// Derives the session; the handshake is only borrowed, so a forged response does not destroy it.
  private borrowing func accept(_ response: HandshakeResponse, at now: Instant) throws(HandshakeError)
    -> Keypair
  {
    switch handshake {
    case .idle: throw .unexpected
    case .initiationSent(let sent):
      guard response.receiver == sent.index else { throw .unexpected }
      let session = try sent.noise.accept(
        response.noise, privateKey: identity.privateKey, presharedKey: presharedKey)
      return session.keys.keypair(
        localIndex: sent.index, remoteIndex: response.sender, isInitiator: true, createdAt: now)
    }
  }

  /// Keeps the cookie for our last message; the next one, not before its time, will carry a mac2.
  ///
  /// A cookie reply proves nothing about the peer's address, so no endpoint changes by it.
  public mutating func consume(_ reply: CookieReply, at now: Instant) throws(HandshakeError) {
    try jar.consume(reply, at: now)
  }
}
