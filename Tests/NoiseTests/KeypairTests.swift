import Net
import Noise
import Testing

@Suite struct KeypairTests {
  static func keypair(isInitiator: Bool = true) -> Keypair {
    let arena = SecretArena()
    let zeros = [UInt8](repeating: 1, count: 32)
    return Keypair(
      localIndex: ReceiverIndex(1), remoteIndex: ReceiverIndex(2), isInitiator: isInitiator,
      createdAt: Instant(nanoseconds: 1_000), sending: SymmetricKey(zeros.span.bytes, in: arena),
      receiving: SymmetricKey(zeros.span.bytes, in: arena))
  }

  @Test func countersAreConsecutiveFromZero() {
    let keypair = Self.keypair()
    #expect(keypair.reserve(3) == 0)
    #expect(keypair.reserve(1) == 3)
    #expect(keypair.reserve(0) == 4)
    #expect(keypair.sentCount == 4)
  }

  @Test func countersEndAtTheLimitAndRefusalsDoNotMoveThem() {
    let keypair = Self.keypair()
    // Together one less than the last usable counter.
    #expect(keypair.reserve(Int.max) == 0)
    #expect(keypair.reserve(Int.max - (1 << 13)) == UInt64(Int.max))
    #expect(keypair.sentCount == Limits.rejectAfterMessages - 1)
    #expect(keypair.reserve(2) == nil)
    #expect(keypair.reserve(1) == Limits.rejectAfterMessages - 1)
    let count = keypair.sentCount
    #expect(keypair.reserve(1) == nil)
    #expect(keypair.reserve(64) == nil)
    #expect(keypair.sentCount == count)
  }

  @Test func isDeadAt180Seconds() {
    let keypair = Self.keypair()
    #expect(keypair.isAlive(at: Instant(nanoseconds: 1_000 + 179_999_999_999)))
    #expect(!keypair.isAlive(at: Instant(nanoseconds: 1_000 + 180_000_000_000)))
  }

  @Test func theFirstPacketConfirmsAnAnsweredSessionOnce() {
    let answered = Self.keypair(isInitiator: false)
    #expect(answered.confirm())
    #expect(!answered.confirm())
    #expect(!Self.keypair(isInitiator: true).confirm())
    answered.forgetConfirmation()
    #expect(answered.confirm())
  }

  @Test func severalThreadsNeverShareACounterAndEachIsFreshOnce() async {
    let keypair = Self.keypair()
    let runs = await withTaskGroup(of: [UInt64].self) { group in
      for _ in 0..<4 {
        group.addTask { (0..<2_000).compactMap { _ in keypair.reserve(2) } }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(Set(runs).count == 8_000 && keypair.sentCount == 16_000)
    let fresh = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          keypair.withReplayWindow { window in
            (0..<UInt64(8_000)).reduce(0) { window.accept($1) ? $0 + 1 : $0 }
          }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(fresh == 8_000)
  }
}
