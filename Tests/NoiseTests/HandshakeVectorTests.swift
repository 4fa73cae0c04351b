import Net
import Testing

@testable import Noise

/// A generator that gives out what it was told, eight octets at a time: keys as a vector says.
struct ScriptedGenerator: RandomNumberGenerator {
  private var words: [UInt64] = []

  mutating func append(_ octets: [UInt8]) {
    for start in stride(from: 0, to: octets.count, by: 8) {
      words.append((0..<8).reduce(0) { $0 | UInt64(octets[start + $1]) << UInt64(8 * $1) })
    }
  }

  mutating func append(_ word: UInt64) {
    words.append(word)
  }

  mutating func next() -> UInt64 { words.removeFirst() }
}

@Suite struct HandshakeVectorTests {
  static let arena = SecretArena()

  // MARK: Noise

  struct Transcripts: Decodable {
    struct Transcript: Decodable {
      struct Message: Decodable {
        var payload: Hex
        var ciphertext: Hex
      }
      var source: String
      var prologue: Hex
      var psk: Hex
      var init_static: Hex
      var init_ephemeral: Hex
      var resp_static: Hex
      var resp_ephemeral: Hex
      var handshake_hash: Hex?
      var messages: [Message]
    }
    var vectors: [Transcript]
  }

  @Test func transcriptsOfNoiseIKpsk2() throws {
    let transcripts = try Vectors.load(Transcripts.self, from: "noise-ikpsk2").vectors
    #expect(transcripts.count == 5)
    for transcript in transcripts {
      let initiatorKey = try #require(PrivateKey(transcript.init_static.bytes))
      let responderKey = try #require(PrivateKey(transcript.resp_static.bytes))
      let psk = PresharedKey(transcript.psk.bytes)
      let prologue = transcript.prologue.bytes
      var random = ScriptedGenerator()
      random.append(transcript.init_ephemeral.bytes)
      random.append(transcript.resp_ephemeral.bytes)

      let first = transcript.messages[0]
      let initiator = try NoiseInitiator.start(
        prologue: prologue.bytes, privateKey: initiatorKey, responder: responderKey.publicKey,
        staticSecret: try initiatorKey.agree(with: responderKey.publicKey, in: Self.arena),
        payload: first.payload.bytes.bytes, in: Self.arena, using: &random)
      let sent = initiator.message
      #expect(sent.ephemeral.bytes + sent.sealedStatic + sent.sealedPayload == first.ciphertext.bytes)
      let claim = try NoiseClaim.open(
        sent, prologue: prologue.bytes, privateKey: responderKey, in: Self.arena)
      #expect(claim.initiator == initiatorKey.publicKey)
      let responder = try claim.authenticate(
        staticSecret: try responderKey.agree(with: claim.initiator, in: Self.arena))
      #expect(responder.payload == first.payload.bytes)

      let second = transcript.messages[1]
      let answer = try responder.respond(
        payload: second.payload.bytes.bytes, presharedKey: psk, in: Self.arena, using: &random)
      #expect(answer.message.ephemeral.bytes + answer.message.sealedPayload == second.ciphertext.bytes)
      let session = try initiator.accept(answer.message, privateKey: initiatorKey, presharedKey: psk)
      #expect(session.payload == second.payload.bytes)
      #expect(session.hash.array == answer.hash.array)
      if let hash = transcript.handshake_hash { #expect(session.hash.array == hash.bytes) }

      for (place, message) in transcript.messages.dropFirst(2).enumerated() {
        let nonce = transportNonce(UInt64(place / 2))
        let text = message.payload.bytes.bytes
        let (sealed, opened) =
          place % 2 == 0
          ? (
            session.keys.initiator.seal(text, additional: RawSpan(), nonce: nonce),
            answer.keys.initiator.open(message.ciphertext.bytes.bytes, additional: RawSpan(), nonce: nonce)
          )
          : (
            answer.keys.responder.seal(text, additional: RawSpan(), nonce: nonce),
            session.keys.responder.open(message.ciphertext.bytes.bytes, additional: RawSpan(), nonce: nonce)
          )
        #expect(sealed == message.ciphertext.bytes)
        #expect(opened == message.payload.bytes)
      }
    }
  }

  // MARK: WireGuard

  struct Handshakes: Decodable {
    struct Case: Decodable {
      var name: String
      var initiator_private: Hex
      var initiator_public: Hex
      var responder_private: Hex
      var responder_public: Hex
      var psk: Hex
      var initiator_ephemeral_private: Hex
      var responder_ephemeral_private: Hex
      var initiator_index: UInt32
      var responder_index: UInt32
      var tai64n: Hex
      var initiation: Hex
      var response: Hex
      var initiator_sends_with: Hex
      var responder_sends_with: Hex
      var keepalive_counter_0_from_initiator: Hex
      var inner_packet: Hex
      var data_counter_1_from_initiator: Hex
      var data_counter_2pow40_from_responder: Hex
      var cookie: Hex
      var cookie_reply_nonce: Hex
      var cookie_reply: Hex
      var initiation_with_mac2: Hex
    }
    var initial_chaining_key: Hex
    var initial_hash: Hex
    var mac1_key_for_responder: Hex
    var cookie_key_for_responder: Hex
    var cases: [Case]
  }

  static let file = Result { try Vectors.load(Handshakes.self, from: "wireguard-handshake") }

  /// Two machines that make exactly the handshake of a vector.
  final class Ends {
    var initiator: Tunnel
    var responder: Tunnel
    let responderIdentity: Identity
    var initiatorDevice: Device
    var responderDevice: Device
    var random = ScriptedGenerator()
    let now = Instant.zero

    init(_ vector: Handshakes.Case) throws {
      let psk = PresharedKey(vector.psk.bytes)
      let initiatorIdentity = Identity(
        privateKey: try #require(PrivateKey(vector.initiator_private.bytes)))
      responderIdentity = Identity(privateKey: try #require(PrivateKey(vector.responder_private.bytes)))
      #expect(initiatorIdentity.publicKey.bytes == vector.initiator_public.bytes)
      #expect(responderIdentity.publicKey.bytes == vector.responder_public.bytes)
      let epoch = try #require(Timestamp(vector.tai64n.bytes))
      initiatorDevice = Device(timestamps: TimestampClock(epoch: epoch))
      responderDevice = Device(timestamps: TimestampClock(epoch: epoch))
      initiator = Tunnel(
        identity: initiatorIdentity, peer: responderIdentity.publicKey, number: 1, presharedKey: psk, seed: 1)
      responder = Tunnel(
        identity: responderIdentity, peer: initiatorIdentity.publicKey, number: 2, presharedKey: psk, seed: 2)
      random.append(vector.initiator_ephemeral_private.bytes)
      random.append(UInt64(vector.initiator_index))
      random.append(vector.responder_ephemeral_private.bytes)
      random.append(UInt64(vector.responder_index))
    }

    func initiate() {
      initiator.initiate(at: now, in: &initiatorDevice, using: &random)
    }

    func answer(_ initiation: [UInt8]) throws {
      let message = try #require(HandshakeInitiation(initiation))
      let opened = try message.open(by: responderIdentity)
      #expect(opened.peer == responder.peer)
      #expect(try responder.consume(opened, at: now, in: &responderDevice, using: &random) == .session)
    }
  }

  @Test func constants() throws {
    let file = try Self.file.get()
    let name = Array("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s".utf8)
    let chainingKey = BLAKE2s.digest(name)
    #expect(chainingKey == file.initial_chaining_key.bytes)
    #expect(BLAKE2s.digest(chainingKey, KeyLabels.prologue) == file.initial_hash.bytes)
    let labels = KeyLabels(PublicKey(file.cases[0].responder_public.bytes))
    #expect(labels.mac1Key.array == file.mac1_key_for_responder.bytes)
    #expect(labels.cookieKey.array == file.cookie_key_for_responder.bytes)
  }

  @Test(arguments: [0, 1]) func bothMessagesAreExactlyTheVectors(index: Int) throws {
    let vector = try Self.file.get().cases[index]
    let ends = try Ends(vector)
    ends.initiate()
    #expect(ends.initiator.poll() == .sendHandshake(vector.initiation.bytes))
    #expect(ends.initiator.poll() == nil)
    #expect(ends.responderIdentity.isAddressed(by: vector.initiation.bytes))
    try ends.answer(vector.initiation.bytes)
    #expect(ends.responder.poll() == .keypairsChanged)
    #expect(ends.responder.poll() == .sendHandshake(vector.response.bytes))
    let response = try #require(HandshakeResponse(vector.response.bytes))
    try ends.initiator.consume(response, at: ends.now, in: &ends.initiatorDevice)
    #expect(ends.initiator.poll() == .keypairsChanged)
    #expect(ends.initiator.poll() == .established(mustConfirm: true))

    let ours = try #require(ends.initiator.keypairs.current)
    let theirs = try #require(ends.responder.keypairs.next)
    #expect(ours.sending.octets.array == vector.initiator_sends_with.bytes)
    #expect(ours.receiving.octets.array == vector.responder_sends_with.bytes)
    #expect(theirs.receiving.octets.array == vector.initiator_sends_with.bytes)
    #expect(theirs.sending.octets.array == vector.responder_sends_with.bytes)
    #expect(ours.localIndex.rawValue == vector.initiator_index && ours.remoteIndex == theirs.localIndex)
    #expect(theirs.localIndex.rawValue == vector.responder_index && theirs.remoteIndex == ours.localIndex)
  }

  @Test(arguments: [0, 1], AEAD.Backend.allCases)
  func transportMessagesAreExactlyTheVectors(index: Int, backend: AEAD.Backend) throws {
    let vector = try Self.file.get().cases[index]
    var aead = AEAD(backend: backend)
    let padded =
      vector.inner_packet.bytes + Array(repeating: 0, count: 15 - (vector.inner_packet.bytes.count + 15) % 16)
    let rows: [(receiver: UInt32, key: Hex, counter: UInt64, plaintext: [UInt8], message: Hex)] = [
      (vector.responder_index, vector.initiator_sends_with, 0, [], vector.keepalive_counter_0_from_initiator),
      (vector.responder_index, vector.initiator_sends_with, 1, padded, vector.data_counter_1_from_initiator),
      (
        vector.initiator_index, vector.responder_sends_with, 1 << 40, padded,
        vector.data_counter_2pow40_from_responder
      ),
    ]
    for row in rows {
      let key = SymmetricKey(row.key.bytes.bytes, in: Self.arena)
      let sealed = TestPeer.seal(
        row.plaintext, DataHeader(receiver: ReceiverIndex(row.receiver), counter: row.counter), key, &aead)
      #expect(sealed == row.message.bytes)
      let header = try #require(DataHeader(row.message.bytes))
      #expect(header == DataHeader(receiver: ReceiverIndex(row.receiver), counter: row.counter))
      #expect(TestPeer.open(row.message.bytes, key, &aead) == row.plaintext)
    }
  }

  @Test(arguments: [0, 1]) func cookieReplyAndMac2AreExactlyTheVectors(index: Int) throws {
    let vector = try Self.file.get().cases[index]
    let labels = KeyLabels(PublicKey(vector.responder_public.bytes))
    let macs = HandshakeMacs(vector.initiation.bytes.bytes)
    let mac1 = try #require(macs?.mac1)
    let cookie = MAC(vector.cookie.bytes.bytes)
    var reply = CookieReply(
      receiver: ReceiverIndex(vector.initiator_index), cookie: cookie, mac1: mac1,
      key: labels.cookieKey.bytes, nonce: InlineArray { vector.cookie_reply_nonce.bytes[$0] })
    #expect(reply.bytes == vector.cookie_reply.bytes)
    reply = try #require(CookieReply(vector.cookie_reply.bytes))
    let opened = reply.open(mac1: mac1, key: labels.cookieKey.bytes)
    #expect(opened?.array == vector.cookie.bytes)

    var jar = CookieJar(peer: PublicKey(vector.responder_public.bytes), in: Self.arena)
    let bare = Array(vector.initiation.bytes[..<HandshakeInitiation.authenticatedSize])
    var message = bare
    jar.seal(&message, index: ReceiverIndex(vector.initiator_index), at: .zero)
    #expect(message == vector.initiation.bytes)
    try jar.consume(reply, at: .zero)
    message = bare
    jar.seal(&message, index: ReceiverIndex(vector.initiator_index), at: .zero)
    #expect(message == vector.initiation_with_mac2.bytes)
    let last = Instant(nanoseconds: 115_000_000_000)
    message = bare
    jar.seal(&message, index: ReceiverIndex(vector.initiator_index), at: last)
    #expect(message == vector.initiation.bytes, "a cookie is used for 115 s")
  }
}
