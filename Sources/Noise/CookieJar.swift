internal import Net

/// The macs of what we send to one peer, and the cookie that it gave us (whitepaper §5.4.4, §5.4.7).
struct CookieJar: ~Copyable {
  private let labels: KeyLabels
  private let arena: SecretArena
  private var cookie: Secret?
  private var cookieExpiry = Instant.zero
  private var lastSent: (index: ReceiverIndex, mac1: MAC)?

  init(peer: PublicKey, in arena: SecretArena) {
    labels = KeyLabels(peer)
    self.arena = arena
  }

  /// Appends mac1, and mac2 or zeros, to a handshake message that carries `index` as its sender.
  mutating func seal(_ message: inout [UInt8], index: ReceiverIndex, at now: Instant) {
    let mac1 = MAC(key: labels.mac1Key.bytes, over: message.bytes)
    lastSent = (index, mac1)
    message.append(mac1)
    if now >= cookieExpiry { cookie = nil }
    switch cookie {
    case .some(let cookie):
      message.append(MAC(key: cookie.bytes.extracting(0..<MAC.size), over: message.bytes))
    case nil: message.append(MAC.zero)
    }
  }

  /// Takes the cookie for our last message; the next one, when its time comes, will carry a mac2.
  mutating func consume(_ reply: CookieReply, at now: Instant) throws(HandshakeError) {
    guard let lastSent, lastSent.index == reply.receiver else { throw .unexpected }
    guard let opened = reply.open(mac1: lastSent.mac1, key: labels.cookieKey.bytes) else {
      throw .unauthentic
    }
    let octets = opened.octets
    cookie = Secret(Hash { $0 < MAC.size ? octets[$0] : 0 }.bytes, in: arena)
    cookieExpiry = now.advanced(by: Limits.cookieUseTime)
    // One message asks for one cookie.
    self.lastSent = nil
  }
}

extension [UInt8] {
  /// Appends the 16 octets of a mac.
  mutating func append(_ mac: MAC) {
    let octets = mac.octets
    for index in octets.indices { append(octets[index]) }
  }
}
