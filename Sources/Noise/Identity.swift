internal import Net

/// Who we are: the static key of a device, what derives from it, and the arena of its other secrets.
///
/// Immutable and shared by all threads. A device that changes its private key makes a new identity, gate and tunnels.
public final class Identity: Sendable {
  /// The static private key.
  public let privateKey: PrivateKey
  /// Where this device's short-lived secrets lie.
  public let arena: SecretArena
  let labels: KeyLabels

  /// Our name for others.
  public var publicKey: PublicKey { privateKey.publicKey }

  /// Makes the identity; keys that were read before may share `arena` with it.
  public init(privateKey: PrivateKey, arena: SecretArena = SecretArena()) {
    self.privateKey = privateKey
    self.arena = arena
    labels = KeyLabels(privateKey.publicKey)
  }

  /// Whether a datagram is a handshake message whose mac1 is right: made by someone who knows our public key.
  ///
  /// Any thread; allocates nothing. A lane asks before it passes a message up, the gate asks again.
  public func isAddressed(by datagram: RawSpan) -> Bool {
    guard let macs = HandshakeMacs(datagram) else { return false }
    return macs.mac1 == MAC(key: labels.mac1Key.bytes, over: datagram.extracting(0..<macs.offset))
  }
}

/// The keys that follow from a public key alone: for mac1, and for the cookies that its owner gives (whitepaper §5.4.4).
struct KeyLabels: Sendable {
  let mac1Key: Hash
  let cookieKey: Hash

  /// What both sides put before everything else into the handshake hash.
  static let prologue = Array("WireGuard v1 zx2c4 Jason@zx2c4.com".utf8)

  init(_ publicKey: PublicKey) {
    let key = publicKey.octets
    mac1Key = BLAKE2s.hash(Array("mac1----".utf8).bytes, key.bytes)
    cookieKey = BLAKE2s.hash(Array("cookie--".utf8).bytes, key.bytes)
  }
}

/// The two macs at the end of an initiation or a response.
struct HandshakeMacs {
  /// Where mac1 starts: it covers all octets before.
  let offset: Int
  let mac1: MAC
  let mac2: MAC

  /// Reads them; `nil` for anything but a whole initiation or response.
  init?(_ datagram: RawSpan) {
    switch MessageType(datagram) {
    case .handshakeInitiation, .handshakeResponse: break
    case .cookieReply, .data, nil: return nil
    }
    offset = datagram.byteCount - 2 * MAC.size
    mac1 = MAC(datagram.extracting(offset..<offset + MAC.size))
    mac2 = MAC(datagram.extracting(offset + MAC.size..<datagram.byteCount))
  }
}
