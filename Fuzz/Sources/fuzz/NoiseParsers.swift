import Net
import Noise

/// A datagram from anyone: nothing but its true author can make a session out of it.
func feedUDPMessage(_ input: RawSpan) {
  var random = SplitMix64(seed: 1)
  var gate = HandshakeGate(identity: identity)
  let admission = gate.admit(input, from: source, underLoad: true, at: .zero, using: &random)
  if case .reply(let reply) = admission { precondition(reply.count <= input.byteCount) }

  switch MessageType(input) {
  case .data: feedDataHeader(input)
  case .handshakeInitiation:
    guard let message = HandshakeInitiation(reading: input) else { unreadable() }
    _ = try? message.open(by: identity)
  case .handshakeResponse:
    guard let message = HandshakeResponse(reading: input) else { unreadable() }
    withTunnel { tunnel, device in
      try? tunnel.consume(message, at: .zero, in: &device)
      precondition(tunnel.keypairs.current == nil, "a forged response made a session")
    }
  case .cookieReply:
    guard let message = CookieReply(reading: input) else { unreadable() }
    withTunnel { tunnel, _ in
      let isAccepted = (try? tunnel.consume(message, at: .zero)) != nil
      precondition(!isAccepted, "a forged cookie was accepted")
    }
  case nil:
    let isMessage =
      DataHeader(reading: input) != nil || HandshakeInitiation(reading: input) != nil
      || HandshakeResponse(reading: input) != nil || CookieReply(reading: input) != nil
    precondition(!isMessage, "a message without a type")
  }
}

private let source = Endpoint(address: .v4(IPv4Address(192, 0, 2, 7)), port: 51820)

private let identity: Identity = {
  guard let key = PrivateKey([UInt8](repeating: 7, count: 32).span.bytes) else { unreadable() }
  return Identity(privateKey: key)
}()

private func unreadable() -> Never {
  preconditionFailure("a message of the right type and size is unreadable")
}

/// Calls `body` with a tunnel that awaits the response to its initiation.
private func withTunnel(_ body: (inout Tunnel, inout Device) -> Void) {
  var random = SplitMix64(seed: 2)
  var device = Device(timestamps: TimestampClock(epoch: Timestamp(seconds: 1, nanoseconds: 0)))
  var tunnel = Tunnel(identity: identity, peer: identity.publicKey, number: 1, seed: 3)
  tunnel.initiate(at: .zero, in: &device, using: &random)
  body(&tunnel, &device)
}

private func feedDataHeader(_ input: RawSpan) {
  guard let header = DataHeader(reading: input) else { unreadable() }
  var octets = [UInt8](repeating: 0, count: DataHeader.size)
  octets.withUnsafeMutableBytes { buffer in
    var span = buffer.mutableBytes
    header.write(to: &span)
  }
  precondition(input.withUnsafeBytes { $0.starts(with: octets) })
}
