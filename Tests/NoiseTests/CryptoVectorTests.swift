import Net
import Testing

@testable import Noise

@Suite struct CryptoVectorTests {
  static let arena = SecretArena()

  // MARK: BLAKE2s

  struct Digests: Decodable {
    struct Row: Decodable {
      var digest: Int?
      var key: Hex
      var `in`: Hex
      var out: Hex
    }
    var kat: [Row]
    var other: [Row]
  }

  @Test func blake2s() throws {
    let file = try Vectors.load(Digests.self, from: "blake2s")
    for row in file.kat + file.other {
      if row.key.bytes.isEmpty, row.out.bytes.count == 32 {
        #expect(BLAKE2s.digest(row.in.bytes) == row.out.bytes)
        let split = row.in.bytes.count / 3
        let (first, second) = (Array(row.in.bytes[..<split]), Array(row.in.bytes[split...]))
        #expect(BLAKE2s.digest(first, second) == row.out.bytes)
      }
      var digest = [UInt8](repeating: 0, count: row.out.bytes.count)
      var span = digest.mutableSpan
      BLAKE2s.keyedHash(key: row.key.bytes.bytes, row.in.bytes.bytes, into: &span)
      #expect(digest == row.out.bytes)
      if digest.count == 16 {
        #expect(MAC(key: row.key.bytes, over: row.in.bytes).array == row.out.bytes)
      }
    }
  }

  // MARK: KDF

  struct Derivations: Decodable {
    struct Row: Decodable {
      var key: Hex
      var input: Hex
      var t1: Hex
      var t2: Hex
      var t3: Hex
    }
    var vectors: [Row]
  }

  @Test func kdf() throws {
    for row in try Vectors.load(Derivations.self, from: "kdf-hmac-blake2s").vectors {
      var outputs = HKDF(salt: row.key.bytes.bytes, input: row.input.bytes.bytes, in: Self.arena)
      for expected in [row.t1, row.t2, row.t3] {
        let output = outputs.next()
        #expect(output.array == expected.bytes)
      }
    }
  }

  // MARK: X25519

  struct Exchanges: Decodable {
    struct Row: Decodable {
      var tcId: Int
      var `public`: Hex
      var `private`: Hex
      var shared: Hex
    }
    var tests: [Row]
  }

  @Test func x25519Wycheproof() throws {
    let rows = try Vectors.load(Exchanges.self, from: "wycheproof-x25519").tests
    #expect(rows.count == 518)
    for row in rows {
      let key = Secret(row.private.bytes, in: Self.arena)
      let point = PublicKey(row.public.bytes)
      if row.shared.bytes.allSatisfy({ $0 == 0 }) {
        #expect(throws: HandshakeError.weakPublicKey, "\(row.tcId)") { _ = try key.agree(with: point) }
      } else {
        let shared = try key.agree(with: point)
        #expect(shared.array == row.shared.bytes, "\(row.tcId)")
      }
    }
  }

  struct RFCs: Decodable {
    struct Sealed: Decodable {
      var key: Hex
      var nonce: Hex
      var aad: Hex
      var plaintext: Hex
      var ciphertext: Hex
      var tag: Hex
    }
    struct Exchange: Decodable {
      var scalar: Hex
      var u: Hex
      var out: Hex
    }
    struct Iterated: Decodable {
      var start: Hex
      var after_1: Hex
      var after_1000: Hex
    }
    struct LowOrder: Decodable {
      var u: Hex
    }
    var chacha20_poly1305: Sealed
    var xchacha20_poly1305: Sealed
    var x25519: [Exchange]
    var x25519_iterated: Iterated
    var x25519_low_order: [LowOrder]
  }

  @Test func x25519OfRFC7748() throws {
    let file = try Vectors.load(RFCs.self, from: "rfc-vectors")
    for row in file.x25519 {
      let shared = try Secret(row.scalar.bytes, in: Self.arena).agree(with: PublicKey(row.u.bytes))
      #expect(shared.array == row.out.bytes)
    }
    var (k, u) = (file.x25519_iterated.start.bytes, file.x25519_iterated.start.bytes)
    for round in 1...1000 {
      let shared = try Secret(k, in: Self.arena).agree(with: PublicKey(u.bytes))
      (k, u) = (shared.array, k)
      if round == 1 { #expect(k == file.x25519_iterated.after_1.bytes) }
    }
    #expect(k == file.x25519_iterated.after_1000.bytes)
  }

  @Test func pointsOfLowOrderAreRefused() throws {
    var random = SplitMix64(seed: 1)
    for row in try Vectors.load(RFCs.self, from: "rfc-vectors").x25519_low_order {
      let key = Curve25519.generate(in: Self.arena, using: &random)
      #expect(throws: HandshakeError.weakPublicKey) { _ = try key.agree(with: PublicKey(row.u.bytes)) }
    }
  }

  // MARK: AEADs

  struct SealedMessages: Decodable {
    struct Row: Decodable {
      var tcId: Int
      var key: Hex
      var iv: Hex
      var aad: Hex
      var msg: Hex
      var ct: Hex
      var tag: Hex
      var result: String
    }
    var tests: [Row]
  }

  @Test func chaCha20Poly1305Wycheproof() throws {
    let rows = try Vectors.load(SealedMessages.self, from: "wycheproof-chacha20-poly1305").tests
    #expect(rows.count == 310)
    for row in rows {
      let key = SymmetricKey(row.key.bytes.bytes, in: Self.arena)
      let nonce = InlineArray<12, UInt8> { row.iv.bytes[$0] }
      let sealed = row.ct.bytes + row.tag.bytes
      let isValid = row.result == "valid"
      let opened = key.open(sealed.bytes, additional: row.aad.bytes.bytes, nonce: nonce)
      #expect(opened == (isValid ? row.msg.bytes : nil), "\(row.tcId)")
      let made = key.seal(row.msg.bytes.bytes, additional: row.aad.bytes.bytes, nonce: nonce)
      #expect((made == sealed) == isValid, "\(row.tcId)")
    }
  }

  @Test func xChaCha20Poly1305Wycheproof() throws {
    let rows = try Vectors.load(SealedMessages.self, from: "wycheproof-xchacha20-poly1305").tests
    #expect(rows.count == 271)
    for row in rows {
      let nonce = XChaCha20Poly1305.Nonce { row.iv.bytes[$0] }
      let sealed = row.ct.bytes + row.tag.bytes
      let isValid = row.result == "valid"
      let (key, additional) = (row.key.bytes, row.aad.bytes)
      let opened = XChaCha20Poly1305.open(
        sealed.bytes, additional: additional.bytes, nonce: nonce, key: key.bytes)
      #expect(opened == (isValid ? row.msg.bytes : nil), "\(row.tcId)")
      let made = XChaCha20Poly1305.seal(
        row.msg.bytes.bytes, additional: additional.bytes, nonce: nonce, key: key.bytes)
      #expect((made == sealed) == isValid, "\(row.tcId)")
    }
  }

  @Test func aeadsOfTheRFCs() throws {
    let file = try Vectors.load(RFCs.self, from: "rfc-vectors")
    let short = file.chacha20_poly1305
    let key = SymmetricKey(short.key.bytes.bytes, in: Self.arena)
    let sealed = key.seal(
      short.plaintext.bytes.bytes, additional: short.aad.bytes.bytes,
      nonce: InlineArray { short.nonce.bytes[$0] })
    #expect(sealed == short.ciphertext.bytes + short.tag.bytes)
    let long = file.xchacha20_poly1305
    let extended = XChaCha20Poly1305.seal(
      long.plaintext.bytes.bytes, additional: long.aad.bytes.bytes,
      nonce: InlineArray { long.nonce.bytes[$0] },
      key: long.key.bytes.bytes)
    #expect(extended == long.ciphertext.bytes + long.tag.bytes)
  }

  @Test(arguments: AEAD.Backend.allCases)
  func batchesPassTheVectorsThatTheyCanExpress(backend: AEAD.Backend) throws {
    // Transport messages have no additional data and nonces that begin with four zeros.
    var aead = AEAD(backend: backend)
    var random = SplitMix64(seed: 3)
    let key = AEADTests.key(&random)
    for length in [0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 300] {
      for counter in [0, 1, 1 << 32, UInt64.max - 1 << 13] {
        var batch = AEADTests.Batch(lengths: [length], firstCounter: counter, using: &random)
        let plaintext = Array(batch.slab[..<length])
        batch.seal(&aead, key)
        let expected = key.seal(plaintext.bytes, additional: RawSpan(), nonce: transportNonce(counter))
        #expect(batch.slab == expected)
      }
    }
  }
}
