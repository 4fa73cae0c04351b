import Net
import Testing

@testable import Noise

@Suite struct GateTests {
  final class Site {
    let identity: Identity
    var gate: HandshakeGate
    let initiation: [UInt8]
    var jar: CookieJar
    var random = SplitMix64(seed: 77)

    init() throws {
      let (a, b) = try TestPeer.pair(seed: 4)
      identity = b.identity
      gate = HandshakeGate(identity: b.identity)
      a.send([1], at: .zero)
      initiation = a.sent[0]
      jar = CookieJar(peer: b.identity.publicKey, in: a.identity.arena)
    }

    func admit(
      _ message: [UInt8], from source: Endpoint = TestPeer.endpoint, underLoad: Bool, at now: Instant
    ) -> HandshakeGate.Admission {
      gate.admit(message.bytes, from: source, underLoad: underLoad, at: now, using: &random)
    }

    /// The same message with the mac2 that a reply allows.
    func answer(_ admission: HandshakeGate.Admission, at now: Instant) throws -> [UInt8] {
      guard case .reply(let bytes) = admission, let reply = CookieReply(bytes),
        let message = HandshakeInitiation(initiation)
      else { throw HandshakeError.unexpected }
      var bare = Array(initiation[..<HandshakeInitiation.authenticatedSize])
      jar.seal(&bare, index: message.sender, at: now)
      try jar.consume(reply, at: now)
      bare.removeLast(32)
      jar.seal(&bare, index: message.sender, at: now)
      return bare
    }
  }

  @Test func withoutLoadARightMac1IsEnough() throws {
    let site = try Site()
    #expect(site.admit(site.initiation, underLoad: false, at: .zero) == .admit)
  }

  @Test func aWrongMac1IsNeverAnswered() throws {
    let site = try Site()
    for offset in [8, 60, 116, 131] {
      var forged = site.initiation
      forged[offset] ^= 1
      for underLoad in [false, true] {
        #expect(site.admit(forged, underLoad: underLoad, at: .zero) == .drop(.wrongMac1))
      }
    }
  }

  @Test func onlyHandshakeMessagesPass() throws {
    let site = try Site()
    for length in [0, 3, 4, 32, 64, 92, 147, 149] {
      let message = Array(repeating: 1 as UInt8, count: length)
      #expect(site.admit(message, underLoad: true, at: .zero) == .drop(.malformed))
    }
    var reserved = site.initiation
    reserved[3] = 1
    #expect(site.admit(reserved, underLoad: false, at: .zero) == .drop(.malformed))
  }

  @Test func theCookieCoversAddressAndPort() throws {
    let site = try Site()
    let sealed = try site.answer(site.admit(site.initiation, underLoad: true, at: .zero), at: .zero)
    #expect(site.admit(sealed, underLoad: true, at: .zero) == .admit)
    var otherPort = TestPeer.endpoint
    otherPort.port += 1
    let otherAddress = Endpoint(address: .v4(IPv4Address(bits: 1)), port: TestPeer.endpoint.port)
    for source in [otherPort, otherAddress] {
      guard case .reply = site.admit(sealed, from: source, underLoad: true, at: .zero) else {
        Issue.record("the cookie holds for \(source)")
        continue
      }
    }
  }

  @Test func aCookieHoldsUntilItsSecretIsTwoMinutesOld() throws {
    let site = try Site()
    let sealed = try site.answer(site.admit(site.initiation, underLoad: true, at: .zero), at: .zero)
    #expect(site.admit(sealed, underLoad: true, at: .seconds(119.9)) == .admit)
    guard case .reply(let reply) = site.admit(sealed, underLoad: true, at: .seconds(120)) else {
      Issue.record("the cookie outlived its secret")
      return
    }
    #expect(reply.count == CookieReply.size && reply.count < site.initiation.count)
  }

  @Test func aSourceWithACookieHasABudget() throws {
    let site = try Site()
    let sealed = try site.answer(site.admit(site.initiation, underLoad: true, at: .zero), at: .zero)
    let admissions = (0..<7).map { _ in site.admit(sealed, underLoad: true, at: .seconds(1)) }
    #expect(
      admissions == Array(repeating: .admit, count: 5) + Array(repeating: .drop(.rateLimited), count: 2))
  }

  // MARK: RateLimiter

  struct Steps: Decodable {
    struct Step: Decodable {
      var wait: Int
      var isAllowed: Bool
      init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        wait = try row.decode(Int.self)
        isAllowed = try row.decode(Bool.self)
      }
    }
    var steps: [Step]
  }

  @Test func theLimiterDecidesAsTheVectorsSay() throws {
    let sources = ["127.0.0.1", "192.168.1.1", "::ffff:1.2.3.4", "2001:db8::1", "fe80::1"]
    let steps = try Vectors.load(Steps.self, from: "ratelimiter").steps
    var limiter = RateLimiter()
    var now = Instant.seconds(10)
    for step in steps {
      now = now.advanced(by: .milliseconds(step.wait))
      for source in sources {
        let address = try #require(IPAddress(source))
        let isAllowed = limiter.allow(address, at: now)
        #expect(isAllowed == step.isAllowed, "\(source) at \(now)")
      }
    }
  }

  @Test func anIPv6OwnerHasOneBudgetForIts64() throws {
    var limiter = RateLimiter()
    let answers = (0..<6).map { host in
      limiter.allow(.v6(IPv6Address(high: 5, low: UInt64(host))), at: .zero)
    }
    #expect(answers == [true, true, true, true, true, false])
    let another = limiter.allow(.v6(IPv6Address(high: 6, low: 0)), at: .zero)
    #expect(another)
  }

  @Test func theTableIsBoundedAndForgetsTheIdle() {
    var limiter = RateLimiter()
    for source in 0..<UInt32(RateLimiter.capacity) {
      let isAllowed = limiter.allow(.v4(IPv4Address(bits: source)), at: .seconds(1))
      #expect(isAllowed)
    }
    let full = limiter.allow(.v4(IPv4Address(bits: .max)), at: .seconds(1.5))
    let known = limiter.allow(.v4(IPv4Address(bits: 3)), at: .seconds(1.5))
    #expect(!full && known && limiter.count == RateLimiter.capacity)
    let later = limiter.allow(.v4(IPv4Address(bits: .max)), at: .seconds(3))
    #expect(later && limiter.count == 1)
  }

  // MARK: LoadMeter

  @Test func aFewHandshakesAreNoLoad() {
    var meter = LoadMeter(perSecond: 100, burst: 10)
    for second in 0..<100 {
      let isLoaded = meter.handshakeArrived(queued: 0, capacity: 4096, at: .seconds(Double(second)))
      #expect(!isLoaded)
    }
  }

  @Test func aFloodIsLoadForASecondAfterItsEnd() {
    var meter = LoadMeter(perSecond: 100, burst: 10)
    var isLoaded = false
    for step in 0..<5_000 {
      isLoaded = meter.handshakeArrived(queued: 0, capacity: 4096, at: .seconds(Double(step) / 1_000))
    }
    #expect(isLoaded && meter.isUnderLoad(at: .seconds(5.9)) && !meter.isUnderLoad(at: .seconds(6)))
    isLoaded = meter.handshakeArrived(queued: 0, capacity: 4096, at: .seconds(6.5))
    #expect(!isLoaded, "however long the flood was")
  }

  @Test func aLongQueueIsLoad() {
    var meter = LoadMeter()
    let short = meter.handshakeArrived(queued: 511, capacity: 4096, at: .zero)
    let long = meter.handshakeArrived(queued: 512, capacity: 4096, at: .zero)
    #expect(!short && long)
  }
}
