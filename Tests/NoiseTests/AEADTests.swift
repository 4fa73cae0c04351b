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

    func plaintexts(of slab: [UInt8]) -> [[UInt8]] {
      jobs.map { Array(slab[$0.destination..<$0.destination + $0.length]) }
    }
  }

  static func key(_ random: inout SplitMix64) -> SymmetricKey {
    let octets = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    return SymmetricKey(octets.span.bytes, in: arena)
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func backendsAgreeOnRandomBatches(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let key = Self.key(&random)
    let lengths = (0..<Int.random(in: 1...300, using: &random)).map { _ in
      Bool.random(using: &random)
        ? Int.random(in: 0...80, using: &random) : Int.random(in: 0...1500, using: &random)
    }
    let counter = UInt64.random(in: 0...UInt64(1) << 62, using: &random)
    let plain = Batch(lengths: lengths, firstCounter: counter, using: &random)
    var fast = AEAD()
    var reference = AEAD(backend: .sodium)
    var a = plain
    var b = plain
    a.seal(&fast, key)
    b.seal(&reference, key)
    #expect(a.slab == b.slab, "seed \(seed)")
    #expect(a.slab != plain.slab)
    a.open(&reference, key)
    b.open(&fast, key)
    #expect(a.jobs.allSatisfy(\.authentic) && b.jobs.allSatisfy(\.authentic), "seed \(seed)")
    #expect(a.plaintexts(of: a.slab) == plain.plaintexts(of: plain.slab))
    #expect(b.plaintexts(of: b.slab) == plain.plaintexts(of: plain.slab))
    #expect(a.jobs.map(\.counter) == plain.jobs.map(\.counter), "jobs keep their order")
  }

  @Test func everyLengthUpToTwoPagesAgrees() {
    var random = SplitMix64(seed: 7)
    let key = Self.key(&random)
    let plain = Batch(lengths: Array(0...1600), firstCounter: 0, using: &random)
    var fast = AEAD()
    var reference = AEAD(backend: .sodium)
    var a = plain
    var b = plain
    a.seal(&fast, key)
    b.seal(&reference, key)
    #expect(a.slab == b.slab)
  }

  @Test(arguments: AEAD.Backend.allCases)
  func forgeriesAreFoundAndTheirNeighboursOpen(backend: AEAD.Backend) {
    var random = SplitMix64(seed: 11)
    let key = Self.key(&random)
    var aead = AEAD(backend: backend)
    for round in 0..<40 {
      let lengths = (0..<17).map { _ in Int.random(in: 0...300, using: &random) }
      let plain = Batch(lengths: lengths, firstCounter: 100, using: &random)
      var batch = plain
      batch.seal(&aead, key)
      let victim = Int.random(in: 0..<17, using: &random)
      let job = batch.jobs[victim]
      let offset = job.source + Int.random(in: 0..<job.length + AEAD.tagSize, using: &random)
      batch.slab[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      batch.open(&aead, key)
      for index in batch.jobs.indices {
        #expect(batch.jobs[index].authentic == (index != victim), "round \(round)")
        guard index != victim else { continue }
        #expect(batch.plaintexts(of: batch.slab)[index] == plain.plaintexts(of: plain.slab)[index])
      }
    }
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
  func sealsOutOfPlace(backend: AEAD.Backend) {
    var random = SplitMix64(seed: 13)
    let key = Self.key(&random)
    var aead = AEAD(backend: backend)
    let plain = Batch(lengths: [0, 1, 63, 64, 65, 1420], firstCounter: 9, using: &random)
    var inPlace = plain
    inPlace.seal(&aead, key)
    var apart = plain
    apart.slab += Array(repeating: 0, count: plain.slab.count)
    for index in apart.jobs.indices { apart.jobs[index].destination += plain.slab.count }
    apart.seal(&aead, key)
    #expect(Array(apart.slab[..<plain.slab.count]) == plain.slab)
    #expect(Array(apart.slab[plain.slab.count...]) == inPlace.slab)
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
