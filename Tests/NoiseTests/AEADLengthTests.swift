import Glibc
import Net
import Testing

@testable import Noise

/// A packet of every length that UDP can carry, alone in its call.
@Suite struct AEADLengthTests {
  private static let longest = 65535
  /// Three places for a packet and its tag, with something before and behind that nobody may touch.
  private struct Slab {
    static let guardSize = 64
    static let stride = guardSize + longest + AEAD.tagSize + guardSize
    var octets = [UInt8](repeating: 0xA5, count: 3 * stride)

    static func start(_ place: Int) -> Int { place * stride + guardSize }

    /// Whether the octets at one place are those at another.
    func agree(_ place: Int, _ other: Int, count: Int) -> Bool {
      octets.withUnsafeBytes {
        guard let base = $0.baseAddress else { return false }
        return memcmp(base + Self.start(place), base + Self.start(other), count) == 0
      }
    }

    /// Whether what surrounds `count` octets at `place` is as it was, if nothing longer was there before.
    func isUntouched(around place: Int, count: Int) -> Bool {
      let start = Self.start(place)
      return octets[start - Self.guardSize..<start].allSatisfy { $0 == 0xA5 }
        && octets[start + count..<start + count + Self.guardSize].allSatisfy { $0 == 0xA5 }
    }
  }

  @Test func everyLengthIsSealedAndOpenedByBothBackendsAsByOneCall() throws {
    var random = SplitMix64(seed: 21)
    let key = AEADTests.key(&random)
    var fast = AEAD()
    var sodium = AEAD(backend: .sodium)
    var slab = Slab()
    let text = (0..<Self.longest).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    slab.octets.replaceSubrange(Slab.start(0)..<Slab.start(0) + text.count, with: text)

    func run(
      _ aead: inout AEAD, sealing: Bool, _ length: Int, counter: UInt64, from source: Int, to destination: Int
    ) -> Bool {
      var job = AEAD.Job(
        source: Slab.start(source), destination: Slab.start(destination), length: length, counter: counter)
      slab.octets.withUnsafeMutableBytes { octets in
        guard let base = octets.baseAddress else { return }
        withUnsafeMutablePointer(to: &job) {
          let jobs = UnsafeMutableBufferPointer(start: $0, count: 1)
          if sealing { aead.seal(jobs, in: base, key: key) } else { aead.open(jobs, in: base, key: key) }
        }
      }
      return job.authentic
    }

    for length in 0...Self.longest {
      let counter = random.next() >> 1
      _ = run(&fast, sealing: true, length, counter: counter, from: 0, to: 1)
      _ = run(&sodium, sealing: true, length, counter: counter, from: 0, to: 2)
      let isSame = slab.agree(1, 2, count: length + AEAD.tagSize)
      // In place and by the other backend.
      let isOpened =
        run(&sodium, sealing: false, length, counter: counter, from: 1, to: 1)
        && run(&fast, sealing: false, length, counter: counter, from: 2, to: 2)
      let isRestored = slab.agree(0, 1, count: length) && slab.agree(0, 2, count: length)
      let isInside =
        slab.isUntouched(around: 1, count: length + AEAD.tagSize)
        && slab.isUntouched(around: 2, count: length + AEAD.tagSize)
      try #require(
        isSame && isOpened && isRestored && isInside, "length \(length), counter \(counter), seed 21")
    }
  }
}
