import Net
import Testing

@testable import Noise

/// Both backends against each other and against the one-shot call of libsodium, one packet at a time.
@Suite struct AEADBatchTests {
  typealias Batch = AEADTests.Batch

  /// Where results of a batch go.
  enum Placement: CaseIterable {
    case inPlace
    case moved
    /// Some here, some there.
    case mixed
  }

  /// In what order the lengths of a batch come: a multi-buffer manager finishes short jobs first.
  enum Order: CaseIterable {
    case random
    case rising
    case falling
    case equal
  }

  /// Lengths with a preference for the odd ones: nothing, around a block, and what a packet has.
  private static func lengths(_ count: Int, _ order: Order, using random: inout SplitMix64) -> [Int] {
    let lengths = (0..<count).map { _ in
      switch Int.random(in: 0...7, using: &random) {
      case 0: 0
      case 1: Int.random(in: 1...17, using: &random)
      case 2: 64 * Int.random(in: 1...8, using: &random) + Int.random(in: -1...1, using: &random)
      case 3: Int.random(in: 0...1500, using: &random)
      default: Int.random(in: 0...300, using: &random)
      }
    }
    switch order {
    case .random: return lengths
    case .rising: return lengths.sorted()
    case .falling: return lengths.sorted(by: >)
    case .equal: return Array(repeating: lengths[0], count: count)
    }
  }

  /// What sealing must leave in the slab, by one call for each packet.
  private static func sealed(_ batch: Batch, _ key: borrowing SymmetricKey) -> [UInt8] {
    var slab = batch.slab
    for job in batch.jobs {
      let text = Array(batch.slab[job.source..<job.source + job.length])
      let octets = key.seal(text.bytes, additional: [UInt8]().bytes, nonce: transportNonce(job.counter))
      slab.replaceSubrange(job.destination..<job.destination + octets.count, with: octets)
    }
    return slab
  }

  /// Batches of 1 to a little more than two runs of the manager: 128 jobs, as many as a lane has in one.
  @Test(arguments: Placement.allCases)
  func everyBatchShapeIsSealedAndOpenedAsPacketByPacket(placement: Placement) {
    var fast = AEAD()
    var sodium = AEAD(backend: .sodium)
    for count in 1...260 {
      let order = Order.allCases[count % Order.allCases.count]
      var random = SplitMix64(seed: UInt64(count))
      let key = AEADTests.key(&random)
      let lengths = Self.lengths(count, order, using: &random)
      let counter = UInt64.random(in: 0...UInt64(1) << 62, using: &random)
      var plain = Batch(lengths: lengths, firstCounter: counter, using: &random)
      plain.move(placement, using: &random)
      let expected = Self.sealed(plain, key)
      var (a, b) = (plain, plain)
      a.seal(&fast, key)
      b.seal(&sodium, key)
      // Not inside the macro, which would look for the difference of two long arrays for minutes.
      let agree = (a.slab == expected, b.slab == expected)
      #expect(agree == (true, true), "\(fast.backend) and libsodium, seed \(count), \(order)")
      // Where they lie now, each by the other backend.
      for index in plain.jobs.indices {
        a.jobs[index].source = plain.jobs[index].destination
        a.jobs[index].destination = plain.jobs[index].destination
      }
      b.jobs = a.jobs
      let forged = a.forge(some: &random)
      b.slab = a.slab
      a.open(&sodium, key)
      b.open(&fast, key)
      let texts = plain.texts(at: \.source)
      for (opened, backend) in [(a, AEAD.Backend.sodium), (b, fast.backend)] {
        #expect(
          opened.jobs.map(\.authentic) == plain.jobs.indices.map { !forged.contains($0) },
          "seed \(count), \(order), \(backend)")
        let result = opened.texts(at: \.destination)
        #expect(
          plain.jobs.indices.allSatisfy { forged.contains($0) || result[$0] == texts[$0] },
          "seed \(count), \(order), \(backend)")
        #expect(opened.jobs.map(\.counter) == plain.jobs.map(\.counter), "jobs keep their order")
      }
    }
  }

  @Test func theOneShotCallIsWhatTheRFCSays() {
    var random = SplitMix64(seed: 31)
    for length in Array(0...300) + [1419, 1420, 1421, 65535] {
      let octets = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      let text = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      let counter = random.next()
      let key = SymmetricKey(octets.span.bytes, in: AEADTests.arena)
      let sealed = key.seal(text.bytes, additional: [UInt8]().bytes, nonce: transportNonce(counter))
      let isSame = sealed == ReferenceAEAD.seal(text, key: octets, counter: counter)
      #expect(isSame, "length \(length)")
    }
  }

  /// Plaintexts that go to another place, forged packets among them.
  @Test(arguments: AEAD.Backend.allCases)
  func exactlyTheForgedFailWhereverThePlaintextsGo(backend: AEAD.Backend) {
    var aead = AEAD(backend: backend)
    for seed in 0..<150 as Range<UInt64> {
      var random = SplitMix64(seed: seed)
      let key = AEADTests.key(&random)
      let count = Int.random(in: 1...140, using: &random)
      let lengths = Self.lengths(count, .random, using: &random)
      let plain = Batch(lengths: lengths, firstCounter: seed, using: &random)
      var batch = plain
      batch.seal(&aead, key)
      batch.move(.mixed, using: &random)
      let forged = batch.forge(some: &random)
      batch.open(&aead, key)
      let texts = plain.texts(at: \.source)
      let result = batch.texts(at: \.destination)
      for index in batch.jobs.indices {
        #expect(batch.jobs[index].authentic == !forged.contains(index), "seed \(seed)")
        #expect(forged.contains(index) || result[index] == texts[index], "seed \(seed)")
      }
    }
  }
}

extension AEADTests.Batch {
  /// Gives all, some or no jobs a destination behind everything.
  fileprivate mutating func move(_ placement: AEADBatchTests.Placement, using random: inout SplitMix64) {
    guard placement != .inPlace else { return }
    let room = slab.count
    slab += Array(repeating: 0xA5, count: room)
    for index in jobs.indices where placement == .moved || Bool.random(using: &random) {
      jobs[index].destination += room
    }
  }

  /// Damages some of the sealed packets, ciphertext or tag, and returns which.
  fileprivate mutating func forge(some random: inout SplitMix64) -> Set<Int> {
    var forged: Set<Int> = []
    for index in jobs.indices where Int.random(in: 0...4, using: &random) == 0 {
      let octet = Int.random(in: 0..<jobs[index].length + AEAD.tagSize, using: &random)
      slab[jobs[index].source + octet] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      forged.insert(index)
    }
    return forged
  }

  /// The texts of all jobs, at their sources or destinations.
  fileprivate func texts(at place: KeyPath<AEAD.Job, Int>) -> [[UInt8]] {
    jobs.map { Array(slab[$0[keyPath: place]..<$0[keyPath: place] + $0.length]) }
  }
}
