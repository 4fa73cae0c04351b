import Mesh
import Net
import Noise

/// Keypairs as a handshake would leave them.
enum Sessions {
  static let arena = SecretArena()

  /// A keypair for tests that never seal.
  static func keypair(local: UInt32) -> Keypair {
    pair(initiator: local, responder: 0).initiator
  }

  /// Both ends of a session, by their local indices; keys follow from those.
  static func pair(
    initiator: UInt32, responder: UInt32, at birth: Instant = .zero
  ) -> (initiator: Keypair, responder: Keypair) {
    func key(_ direction: UInt8) -> SymmetricKey {
      var bytes = [UInt8](repeating: direction, count: 32)
      for i in 0..<4 {
        bytes[i] = UInt8(truncatingIfNeeded: initiator >> (8 * i))
        bytes[4 + i] = UInt8(truncatingIfNeeded: responder >> (8 * i))
      }
      return SymmetricKey(bytes.span.bytes, in: arena)
    }
    let first = Keypair(
      localIndex: ReceiverIndex(initiator), remoteIndex: ReceiverIndex(responder), isInitiator: true,
      createdAt: birth, sending: key(1), receiving: key(2))
    let second = Keypair(
      localIndex: ReceiverIndex(responder), remoteIndex: ReceiverIndex(initiator), isInitiator: false,
      createdAt: birth, sending: key(2), receiving: key(1))
    return (first, second)
  }

  /// A public key that is no more than a name.
  static func publicKey(_ id: UInt8) -> PublicKey {
    PublicKey([UInt8](repeating: id, count: 32).span.bytes)
  }

  /// A device's identity that follows from `seed`.
  static func identity(seed: UInt8) -> Identity? {
    PrivateKey([UInt8](repeating: seed, count: 32).span.bytes).map { Identity(privateKey: $0) }
  }

  /// The first message of a handshake with `peer`, with a good mac1.
  static func initiation(to peer: PublicKey) -> [UInt8] {
    guard let identity = identity(seed: 99) else { return [] }
    var random = SplitMix64(seed: 1)
    var device = Device(timestamps: TimestampClock(epoch: Timestamp(seconds: 0, nanoseconds: 0)))
    var tunnel = Tunnel(identity: identity, peer: peer, number: 0, seed: 1)
    tunnel.initiate(at: .zero, in: &device, using: &random)
    return tunnel.outstandingInitiation ?? []
  }
}
