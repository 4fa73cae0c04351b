import Net
import Testing

@testable import Noise

/// One end of a link in memory: a device with one peer, its gate, and a data plane of a few lines.
final class TestPeer {
  let identity: Identity
  var tunnel: Tunnel
  var gate: HandshakeGate
  var device: Device
  var random: SplitMix64
  var aead = AEAD(backend: .sodium)
  var isUnderLoad = false

  /// Datagrams to the other end, oldest first.
  var sent: [[UInt8]] = []
  /// Packets that wait for a session.
  var staged: [[UInt8]] = []
  /// What was accepted from the other end.
  var received: [[UInt8]] = []
  /// How often each output came.
  var established = 0
  var gaveUp = 0
  var sourcesForgotten = 0
  var keepalivesSent = 0
  var initiationsSent = 0
  var published = KeypairRing()
  var errors: [HandshakeError] = []
  var refusals: [HandshakeGate.Refusal] = []

  static let endpoint = Endpoint(address: .v4(IPv4Address(bits: 0xC000_0201)), port: 51820)

  init(identity: Identity, peer: PublicKey, presharedKey: PresharedKey? = nil, seed: UInt64) {
    self.identity = identity
    random = SplitMix64(seed: seed)
    tunnel = Tunnel(identity: identity, peer: peer, number: 7, presharedKey: presharedKey, seed: seed)
    gate = HandshakeGate(identity: identity)
    device = Device(timestamps: TimestampClock(epoch: Timestamp(sinceUnixEpoch: .seconds(1_700_000_000))))
  }

  /// Two ends that know each other; the first has the smaller public key.
  static func pair(psks: (PresharedKey?, PresharedKey?) = (nil, nil), seed: UInt64 = 1) throws -> (
    TestPeer, TestPeer
  ) {
    var random = SplitMix64(seed: seed)
    let keys = try (0..<2).map { _ in try #require(PrivateKey.generate(using: &random)) }
      .sorted { $0.publicKey < $1.publicKey }
    let identities = keys.map { Identity(privateKey: $0) }
    return (
      TestPeer(
        identity: identities[0], peer: identities[1].publicKey, presharedKey: psks.0, seed: seed &* 2),
      TestPeer(
        identity: identities[1], peer: identities[0].publicKey, presharedKey: psks.1, seed: seed &* 2 + 1)
    )
  }

  static func seal(
    _ plaintext: [UInt8], _ header: DataHeader, _ key: borrowing SymmetricKey, _ aead: inout AEAD
  ) -> [UInt8] {
    var message = [UInt8](repeating: 0, count: plaintext.count + DataHeader.overhead)
    message.replaceSubrange(DataHeader.size..<DataHeader.size + plaintext.count, with: plaintext)
    message.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      header.write(to: &span)
      guard let base = bytes.baseAddress else { return }
      var job = AEAD.Job(source: DataHeader.size, length: plaintext.count, counter: header.counter)
      withUnsafeMutablePointer(to: &job) {
        aead.seal(UnsafeMutableBufferPointer(start: $0, count: 1), in: base, key: key)
      }
    }
    return message
  }

  static func open(_ message: [UInt8], _ key: borrowing SymmetricKey, _ aead: inout AEAD) -> [UInt8]? {
    var message = message
    let length = message.count - DataHeader.overhead
    guard let header = DataHeader(message) else { return nil }
    var job = AEAD.Job(source: DataHeader.size, length: length, counter: header.counter)
    message.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      withUnsafeMutablePointer(to: &job) {
        aead.open(UnsafeMutableBufferPointer(start: $0, count: 1), in: base, key: key)
      }
    }
    return job.authentic ? Array(message[DataHeader.size..<DataHeader.size + length]) : nil
  }

  // The macros of Swift Testing cannot look into a type that is not copyable.
  var outstandingIndex: ReceiverIndex? { tunnel.outstandingIndex }
  var outstandingInitiation: [UInt8]? { tunnel.outstandingInitiation }
  var awaitsAnswer: Bool { tunnel.awaitsAnswer }
  var nextDeadline: Instant { tunnel.nextDeadline }
  var lastHandshakeAt: Instant? { tunnel.lastHandshakeAt }

  // MARK: Inputs

  /// Sends a packet, or stages it and asks for a session.
  func send(_ packet: [UInt8], at now: Instant) {
    guard transmit(packet, at: now) else {
      staged.append(packet)
      tunnel.initiate(at: now, in: &device, using: &random)
      drain(at: now)
      return
    }
    tunnel.dataSent(at: now)
    advance(to: now)
  }

  func advance(to now: Instant) {
    tunnel.advance(to: now, in: &device, using: &random)
    drain(at: now)
  }

  func receive(_ datagram: [UInt8], at now: Instant, from source: Endpoint = endpoint) {
    switch MessageType(datagram.bytes) {
    case .handshakeInitiation, .handshakeResponse:
      switch gate.admit(datagram.bytes, from: source, underLoad: isUnderLoad, at: now, using: &random) {
      case .admit: do { try handshake(datagram, at: now) } catch { errors.append(error) }
      case .reply(let reply): sent.append(reply)
      case .drop(let refusal): refusals.append(refusal)
      }
    case .cookieReply:
      guard let reply = CookieReply(datagram) else { return }
      do { try tunnel.consume(reply, at: now) } catch { errors.append(error) }
    case .data: data(datagram, at: now)
    case nil: break
    }
    advance(to: now)
  }

  func drain(at now: Instant) {
    while let output = tunnel.poll() {
      switch output {
      case .keypairsChanged: published = tunnel.keypairs
      case .sendHandshake(let message):
        if MessageType(message.bytes) == .handshakeInitiation { initiationsSent += 1 }
        sent.append(message)
      case .sendKeepalive:
        keepalivesSent += 1
        #expect(transmit([], at: now), "a keepalive was asked for without a session")
        tunnel.authenticatedPacketSent(at: now)
      case .established(let mustConfirm):
        established += 1
        let packets = staged
        staged = []
        for packet in packets {
          #expect(transmit(packet, at: now))
          tunnel.dataSent(at: now)
        }
        guard packets.isEmpty, mustConfirm else { continue }
        #expect(transmit([], at: now))
        tunnel.authenticatedPacketSent(at: now)
      case .gaveUp:
        gaveUp += 1
        staged = []
      case .forgetSource: sourcesForgotten += 1
      }
    }
  }

  // MARK: Data plane

  private func transmit(_ packet: [UInt8], at now: Instant) -> Bool {
    guard let current = published.current, current.isAlive(at: now), let counter = current.reserve(1) else {
      return false
    }
    let header = DataHeader(receiver: current.remoteIndex, counter: counter)
    sent.append(Self.seal(packet, header, current.sending, &aead))
    return true
  }

  private func data(_ datagram: [UInt8], at now: Instant) {
    guard let header = DataHeader(datagram),
      let keypair = published.all.first(where: { $0.localIndex == header.receiver }),
      keypair.isAlive(at: now),
      let packet = Self.open(datagram, keypair.receiving, &aead),
      keypair.withReplayWindow({ $0.accept(header.counter) })
    else { return }
    if keypair.confirm() { tunnel.keyConfirmed(header.receiver, at: now, in: &device) }
    if packet.isEmpty {
      tunnel.authenticatedPacketReceived(at: now)
    } else {
      received.append(packet)
      tunnel.dataReceived(at: now)
    }
  }

  private func handshake(_ datagram: [UInt8], at now: Instant) throws(HandshakeError) {
    if let initiation = HandshakeInitiation(datagram) {
      let opened = try initiation.open(by: identity)
      guard opened.peer == tunnel.peer else { throw .unauthentic }
      switch try tunnel.consume(opened, at: now, in: &device, using: &random) {
      case .session: break
      case .copy(let response): sent.append(response)
      }
    } else if let response = HandshakeResponse(datagram) {
      try tunnel.consume(response, at: now, in: &device)
    }
  }
}

extension Instant {
  static func seconds(_ seconds: Double) -> Instant { zero.advanced(by: .seconds(seconds)) }
}
