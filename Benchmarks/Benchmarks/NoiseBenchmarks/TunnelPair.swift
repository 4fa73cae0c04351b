import Net
import Noise

/// Two tunnels that make one session after the other, in memory.
struct TunnelPair: ~Copyable {
  private let identities: [Identity]
  private var devices: [Device]
  private var initiator: Tunnel
  private var responder: Tunnel
  private var random = SplitMix64(seed: 1)
  private var now = Instant.zero

  /// Two peers that know each other's key.
  init() {
    let keys = (1...2).map { PrivateKey([UInt8](repeating: $0, count: 32).span.bytes) }
    identities = keys.compactMap { $0 }.map { Identity(privateKey: $0) }
    devices = identities.map { _ in
      Device(timestamps: TimestampClock(epoch: Timestamp(seconds: 1, nanoseconds: 0)))
    }
    initiator = Tunnel(identity: identities[0], peer: identities[1].publicKey, number: 1, seed: 1)
    responder = Tunnel(identity: identities[1], peer: identities[0].publicKey, number: 1, seed: 2)
  }

  /// One whole handshake: initiation and response, made and consumed.
  mutating func shakeHands() {
    now = now.advanced(by: .seconds(10))
    initiator.initiate(at: now, in: &devices[0], using: &random)
    guard let first = Self.message(from: &initiator),
      let initiation = HandshakeInitiation(reading: first.span.bytes)
    else { preconditionFailure("no initiation") }
    do {
      let opened = try initiation.open(by: identities[1])
      _ = try responder.consume(opened, at: now, in: &devices[1], using: &random)
      guard let second = Self.message(from: &responder),
        let response = HandshakeResponse(reading: second.span.bytes)
      else { preconditionFailure("no response") }
      try initiator.consume(response, at: now, in: &devices[0])
      while case .some = initiator.poll() {}
    } catch {
      preconditionFailure("\(error)")
    }
  }

  private static func message(from tunnel: inout Tunnel) -> [UInt8]? {
    var message: [UInt8]?
    while let output = tunnel.poll() {
      if case .sendHandshake(let bytes) = output { message = bytes }
    }
    return message
  }
}
