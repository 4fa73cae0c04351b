public import Net

/// What stands before the expensive part of every handshake of a device (whitepaper §5.3, §5.4.7).
///
/// mac1 proves that the sender knows our public key. Under load, mac2 proves that it can receive at its address, and each
/// address has a small budget. Until mac1 is right nothing is ever answered, and no answer is longer than the question.
public struct HandshakeGate: ~Copyable {
  /// What becomes of a message.
  public enum Admission: Sendable, Equatable {
    /// It may cost us a Diffie-Hellman.
    case admit
    /// Send this cookie reply to where it came from, and forget it.
    case reply([UInt8])
    /// Forget it.
    case drop(Refusal)
  }

  /// Why a message was dropped.
  public enum Refusal: Sendable, CaseIterable {
    /// It is neither an initiation nor a response.
    case malformed
    /// Its mac1 is not made with our public key.
    case wrongMac1
    /// Its source has used up its budget.
    case rateLimited
  }

  private let identity: Identity
  private var limiter = RateLimiter()
  // Cookies are made with it; nobody else ever needs it.
  private var secret: Secret?
  private var secretExpiry = Instant.zero

  /// Makes the gate of a device.
  public init(identity: Identity) {
    self.identity = identity
  }

  /// Decides on an initiation or a response from `source`.
  public mutating func admit(
    _ message: RawSpan, from source: Endpoint, underLoad: Bool, at now: Instant,
    using random: inout some RandomNumberGenerator
  ) -> Admission {
    guard let macs = HandshakeMacs(message) else { return .drop(.malformed) }
    guard identity.isAddressed(by: message) else { return .drop(.wrongMac1) }
    guard underLoad else { return .admit }
    let cookie = cookie(for: source, at: now, using: &random)
    let covered = message.extracting(0..<macs.offset + MAC.size)
    guard macs.mac2 == MAC(key: cookie.octets.bytes, over: covered) else {
      let reply = CookieReply(
        receiver: ReceiverIndex(message.little32(4)), cookie: cookie, mac1: macs.mac1,
        key: identity.labels.cookieKey.bytes, using: &random)
      return .reply(reply.bytes)
    }
    return limiter.allow(source.address, at: now) ? .admit : .drop(.rateLimited)
  }

  /// The cookie of an endpoint: a mac over its address and port, under a secret of two minutes.
  private mutating func cookie(
    for source: Endpoint, at now: Instant, using random: inout some RandomNumberGenerator
  ) -> MAC {
    var text = ByteWriter(capacity: 18)
    text.append(source.address)
    text.append(big16: source.port)
    if secret == nil || now >= secretExpiry {
      secret = Secret(random: &random, in: identity.arena)
      secretExpiry = now.advanced(by: Limits.cookieSecretTime)
    }
    switch secret {
    case .some(let secret): return MAC(key: secret.bytes, over: text.bytes.bytes)
    case nil: return .zero
    }
  }
}
