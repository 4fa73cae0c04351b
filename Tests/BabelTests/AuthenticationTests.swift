import Net
import Noise
import Testing

@testable import Babel

/// Packets with a MAC (RFC 8967).
@Suite struct AuthenticationTests {
  static let recordings: [(name: String, algorithm: AuthenticationKey.Algorithm, key: String)] = {
    let key = "00112233445566778899aabbccddeeff"
    return [
      ("babeld-mac-hmac-sha256", .hmacSHA256, key + key + key + key),
      ("babeld-mac-blake2s128", .blake2s, key + key),
      ("bird2012-mac-hmac-sha256", .hmacSHA256, "6d657368642d74657374"),
    ]
  }()

  static func key(_ hex: String = "0102030405", _ algorithm: AuthenticationKey.Algorithm = .hmacSHA256)
    throws -> MACKey
  {
    let key = try #require(AuthenticationKey(algorithm, hex: hex))
    return MACKey(sign: key.sign, verify: key.verify)
  }

  @Test func everyRecordedMACIsValid() throws {
    var count = 0
    for recording in Self.recordings {
      let key = try Self.key(recording.key, recording.algorithm)
      for packet in try Captures.packets(recording.name) {
        guard let tlvs = AuthenticationTLVs(packet.payload.span.bytes) else {
          Issue.record("not Babel")
          continue
        }
        let message = AuthenticationTLVs.message(
          from: packet.source, to: packet.destination,
          packet.payload.span.bytes.extracting(0..<tlvs.coveredCount))
        #expect(tlvs.counter != nil)
        #expect(tlvs.macs == [key.sign(message)])
        #expect(key.verify(message, tlvs.macs))
        #expect(!key.verify(message + [0], tlvs.macs))
        count += 1
      }
    }
    #expect(count == 66)
  }

  @Test func keysOfWrongLengthAreNone() {
    #expect(AuthenticationKey(.blake2s, hex: String(repeating: "00", count: 33)) == nil)
    #expect(AuthenticationKey(.hmacSHA256, hex: String(repeating: "00", count: 65)) == nil)
    #expect(AuthenticationKey(.hmacSHA256, hex: "") == nil)
    #expect(AuthenticationKey(.hmacSHA256, hex: "abc") == nil)
    #expect(AuthenticationKey(.hmacSHA256, hex: "0aFf")?.hex == "0aff")
  }

  // MARK: Counters and challenges

  static func counter(_ value: UInt32, _ index: [UInt8] = [1]) -> AuthenticationTLVs.PacketCounter {
    AuthenticationTLVs.PacketCounter(value: value, index: index)
  }

  /// One that has accepted counter 10 of index 1, at 0 s.
  static func accepting() throws -> Authentication {
    var random = SplitMix64(seed: 1)
    var authentication = Authentication(using: &random)
    let nonce = try #require(authentication.challenge(at: .zero, using: &random))
    let finding = authentication.check(counter(10), replies: [nonce], isUnicast: true, at: .zero)
    #expect(finding == .fresh)
    return authentication
  }

  @Test func strangerMustAnswerAChallenge() {
    var random = SplitMix64(seed: 1)
    var authentication = Authentication(using: &random)
    #expect(authentication.check(Self.counter(10), replies: [], isUnicast: true, at: .zero) == .unknown)
    #expect(authentication.check(Self.counter(10), replies: [[7]], isUnicast: true, at: .zero) == .unknown)
  }

  @Test func olderCounterIsAReplayAndANewIndexAStranger() throws {
    var authentication = try Self.accepting()
    #expect(authentication.check(Self.counter(10), replies: [], isUnicast: true, at: .zero) == .replayed)
    #expect(authentication.check(Self.counter(12), replies: [], isUnicast: true, at: .zero) == .fresh)
    #expect(authentication.check(Self.counter(11), replies: [], isUnicast: true, at: .zero) == .replayed)
    #expect(authentication.check(Self.counter(13, [2]), replies: [], isUnicast: true, at: .zero) == .unknown)
  }

  @Test func multicastMayOvertakeUnicast() throws {
    var authentication = try Self.accepting()
    #expect(authentication.check(Self.counter(12), replies: [], isUnicast: false, at: .zero) == .fresh)
    #expect(authentication.check(Self.counter(11), replies: [], isUnicast: true, at: .zero) == .fresh)
    #expect(authentication.check(Self.counter(11), replies: [], isUnicast: false, at: .zero) == .replayed)
  }

  @Test func answerCountsOnceAndForThirtySeconds() throws {
    var random = SplitMix64(seed: 1)
    var authentication = Authentication(using: &random)
    let nonce = try #require(authentication.challenge(at: .zero, using: &random))
    let late = Instant(nanoseconds: 30_000_000_000)
    #expect(authentication.check(Self.counter(1), replies: [nonce], isUnicast: true, at: late) == .unknown)
    let second = try #require(authentication.challenge(at: late, using: &random))
    #expect(second != nonce)
    #expect(authentication.check(Self.counter(9), replies: [second], isUnicast: true, at: late) == .fresh)
    #expect(authentication.check(Self.counter(9), replies: [second], isUnicast: true, at: late) == .replayed)
  }

  @Test func challengesAreSpacedAndRepeatTheirNonce() throws {
    var random = SplitMix64(seed: 1)
    var authentication = Authentication(using: &random)
    let nonce = authentication.challenge(at: .zero, using: &random)
    #expect(nonce?.count == 16)
    #expect(authentication.challenge(at: Instant(nanoseconds: 299_000_000), using: &random) == nil)
    #expect(authentication.challenge(at: Instant(nanoseconds: 300_000_000), using: &random) == nonce)
  }

  @Test func counterOfASilentNeighbourIsForgottenAfterFiveMinutes() throws {
    var authentication = try Self.accepting()
    let later = Instant(nanoseconds: 300_000_000_000)
    #expect(authentication.check(Self.counter(11), replies: [], isUnicast: true, at: later) == .unknown)
  }

  @Test func everyPacketHasAGreaterCounter() {
    var random = SplitMix64(seed: 1)
    var authentication = Authentication(using: &random)
    let first = authentication.next(using: &random)
    let second = authentication.next(using: &random)
    #expect(first.index == second.index)
    #expect(second.value == first.value + 1)
    #expect(first.index.count == 8)
  }

  // MARK: The speaker

  @Test func packetWithoutMACIsNotHeardWhereAKeyIsConfigured() throws {
    let key = try Self.key()
    var station = Station()
    station.join(0) { $0.keys = [key] }
    #expect(station.speaker.neighbour(Station.id(0))?.reach == 0)
    #expect(station.speaker.counters.unauthenticPackets == 2)
  }

  @Test func MACIsIgnoredWithoutAKey() throws {
    var station = Station()
    station.join(0)
    let packet = try #require(
      try Captures.packets("babeld-mac-hmac-sha256").last { packet in
        Captures.messages(packet.payload, from: packet.source).contains { message in
          guard case .update = message else { return false }
          return true
        }
      })
    station.receive(bytes: packet.payload, from: 0, source: packet.source)
    #expect(!station.speaker.keys.isEmpty)
    #expect(station.speaker.counters.malformedTLVs == 0)
  }

  @Test(arguments: [AuthenticationKey.Algorithm.hmacSHA256, .blake2s])
  func speakersWithOneKeyConverge(algorithm: AuthenticationKey.Algorithm) throws {
    let key = try Self.key("00ff", algorithm)
    var network = VirtualNetwork(count: 3, seed: 11)
    network.connect(0, 1, keys: [key])
    network.connect(1, 2, delay: .milliseconds(400), keys: [key])
    network.run(for: .seconds(8))
    network.expectConverged()
    network.cut(0, 1)
    network.run(for: .seconds(30))
    network.heal(0, 1)
    network.run(for: .seconds(30))
    network.expectConverged()
  }

  @Test func oneOfSeveralKeysSuffices() throws {
    let (old, new) = (try Self.key("01"), try Self.key("02", .blake2s))
    var network = VirtualNetwork(count: 2, seed: 12)
    network.connect(0, 1, keys: [old, new])
    network.run(for: .seconds(1))
    network.expectConverged()
    network.setKeys([new], of: 0, towards: 1)
    network.run(for: .seconds(30))
    network.expectConverged()
  }

  @Test func speakersWithDifferentKeysDoNotHearEachOther() throws {
    var network = VirtualNetwork(count: 2, seed: 13)
    network.connect(0, 1, keys: [try Self.key("01")])
    network.setKeys([try Self.key("02")], of: 0, towards: 1)
    network.run(for: .seconds(10))
    #expect(network.metric(0, to: 1) == nil)
    #expect(network.metric(1, to: 0) == nil)
  }

  @Test func packetPlayedAgainIsNotHeard() throws {
    let key = try Self.key()
    var network = VirtualNetwork(count: 2, seed: 14)
    network.connect(0, 1, keys: [key])
    network.run(for: .seconds(5))
    let before = network.speakers[1].counters.unauthenticPackets
    network.replayLastPacket(from: 0, to: 1)
    network.run(for: .milliseconds(100))
    #expect(network.speakers[1].counters.unauthenticPackets == before + 1)
  }
}
