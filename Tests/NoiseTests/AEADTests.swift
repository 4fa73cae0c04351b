import Net
import Noise
import Testing

@Suite struct AEADTests {
  static let arena = SecretArena()

  /// One slab with jobs laid out behind each other, and the work on it.
  struct Batch {
    var slab: [UInt8]
    var jobs: [AEAD.Job]

    /// Random plaintexts of these lengths, each with room for its tag.
    init(lengths: [Int], firstCounter: UInt64, using random: inout SplitMix64) {
      slab = []
      jobs = []
      for length in lengths {
        jobs.append(AEAD.Job(source: slab.count, length: length, counter: firstCounter + UInt64(jobs.count)))
        slab += (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        slab += Array(repeating: 0, count: AEAD.tagSize)
      }
    }

    mutating func seal(_ aead: inout AEAD, _ key: borrowing SymmetricKey) {
      slab.withUnsafeMutableBytes { slab in
        guard let base = slab.baseAddress else { return }
        jobs.withUnsafeMutableBufferPointer { aead.seal($0, in: base, key: key) }
      }
    }

    mutating func open(_ aead: inout AEAD, _ key: borrowing SymmetricKey) {
      slab.withUnsafeMutableBytes { slab in
        guard let base = slab.baseAddress else { return }
        jobs.withUnsafeMutableBufferPointer { aead.open($0, in: base, key: key) }
      }
    }
  }

  static func key(_ random: inout SplitMix64) -> SymmetricKey {
    let octets = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    return SymmetricKey(octets.span.bytes, in: arena)
  }

  @Test(arguments: AEAD.Backend.allCases)
  func aWrongCounterDoesNotOpen(backend: AEAD.Backend) {
    var random = SplitMix64(seed: 12)
    let key = Self.key(&random)
    var aead = AEAD(backend: backend)
    var batch = Batch(lengths: [0, 16, 1420], firstCounter: 5, using: &random)
    batch.seal(&aead, key)
    for index in batch.jobs.indices { batch.jobs[index].counter += 1 << 32 }
    batch.open(&aead, key)
    #expect(batch.jobs.allSatisfy { !$0.authentic })
  }

  @Test(arguments: AEAD.Backend.allCases)
  func anEmptyBatchIsNoWork(backend: AEAD.Backend) {
    var random = SplitMix64(seed: 14)
    let key = Self.key(&random)
    var aead = AEAD(backend: backend)
    var batch = Batch(lengths: [], firstCounter: 0, using: &random)
    batch.slab = [1]
    batch.seal(&aead, key)
    batch.open(&aead, key)
    #expect(batch.slab == [1])
  }
}
