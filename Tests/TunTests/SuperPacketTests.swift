import Net
import Testing

@testable import Tun

/// What cutting and merging have in common: one undoes the other, and neither believes what it is told.
@Suite struct SuperPacketTests {
  /// The kinds of a stream, each with and without IPv4 options or an IPv6 extension header.
  static let kinds = [AddressFamily.v4, .v6].flatMap { family in
    [TransportLayout.Transport.tcp, .udp].flatMap { transport in
      [false, true].map { Kind(family: family, transport: transport, hasOptions: $0) }
    }
  }

  struct Kind: CustomTestStringConvertible {
    let family: AddressFamily
    let transport: TransportLayout.Transport
    let hasOptions: Bool

    var testDescription: String { "\(transport) over \(family)\(hasOptions ? " with options" : "")" }

    func flow(_ traffic: inout Traffic) -> Traffic.Flow {
      var flow = traffic.flow()
      flow.family = family
      flow.transport = transport
      if hasOptions {
        flow.ipOptions = family == .v4 ? [1, 1, 1, 1] : [transport.rawValue, 0, 1, 4, 0, 0, 0, 0]
      }
      return flow
    }
  }

  @Test(arguments: kinds.filter { !$0.hasOptions }, 0..<40 as Range<UInt64>)
  func whatWasCutIsMergedIntoTheSameAgain(kind: Kind, seed: UInt64) throws {
    var traffic = Traffic(seed: seed)
    var flow = kind.flow(&traffic)
    flow.flags |= [0, 0x80].randomElement(using: &traffic.random) ?? 0
    flow.flags |= [0, 0x08].randomElement(using: &traffic.random) ?? 0
    let size = Int.random(in: 1...1400, using: &traffic.random)
    // Two segments at least: a packet alone is left as it is.
    let count = Int.random(in: size + 1...min(60_000, size * 60), using: &traffic.random)
    let whole = Traffic.packet(flow, payload: traffic.payload(count))
    let plan = try #require(
      Segmentation(SegmentationTests.header(flow, size: size), planning: whole), "seed \(seed)")
    var coalescing = Coalescing(.all)
    let writes = coalescing.writes(of: plan.packets(of: whole))
    try #require(writes.count == 1, "seed \(seed)")
    // The kernel completes the checksum, as a network card would.
    var merged = writes[0].octets
    let field = Int(writes[0].header.checksumStart) + Int(writes[0].header.checksumOffset)
    let sum = Traffic.checksum(Array(merged[Int(writes[0].header.checksumStart)...]))
    let value = sum == 0 && kind.transport == .udp ? 0xFFFF : sum
    merged.replaceSubrange(field..<field + 2, with: [UInt8(value >> 8), UInt8(value & 0xFF)])
    let isSame = merged == whole
    #expect(isSame, "seed \(seed)")
    #expect(Int(writes[0].header.segmentSize) == size)
    #expect(writes[0].header.hasCongestionWindowReduced == (kind.transport == .tcp && flow.flags & 0x80 != 0))
  }

  @Test(arguments: kinds, 0..<20 as Range<UInt64>)
  func aStreamOutOfOrderComesOutAsItCame(kind: Kind, seed: UInt64) {
    var traffic = Traffic(seed: seed)
    let flow = kind.flow(&traffic)
    let size = Int.random(in: 1...100, using: &traffic.random)
    var stream = Traffic.stream(flow, payload: traffic.payload(30 * size), size: size)
    stream.shuffle(using: &traffic.random)
    let result = Coalescing.roundTrip(stream)
    #expect(result.packets == stream, "seed \(seed)")
    // Each falling step of the sequence or the identification begins another super-packet.
    guard kind.transport == .tcp else { return }
    func sequence(_ packet: [UInt8]) -> UInt32 {
      let start = (kind.family == .v4 ? 20 : 40) + flow.ipOptions.count + 4
      return packet[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) } &- flow.sequence
    }
    let breaks = zip(stream, stream.dropFirst()).count { sequence($1) != sequence($0) + UInt32(size) }
    #expect(kind.hasOptions ? result.writes == 30 : result.writes >= breaks + 1, "seed \(seed)")
  }

  @Test(arguments: kinds) func everyTruncationIsRefusedAndNeverMerged(kind: Kind) {
    var traffic = Traffic(seed: 5)
    let flow = kind.flow(&traffic)
    let stream = Traffic.stream(flow, payload: traffic.payload(300), size: 100)
    let whole = Traffic.packet(flow, payload: traffic.payload(300))
    let header = SegmentationTests.header(flow, size: 100)
    #expect(Segmentation(header, planning: whole)?.count == 3)
    for count in 0..<whole.count {
      #expect(Segmentation(header, planning: Array(whole[..<count])) == nil, "\(count) octets")
    }
    for count in 0..<stream[1].count {
      let packets = [stream[0], Array(stream[1][..<count]), stream[2]]
      #expect(Coalescing.roundTrip(packets).packets == packets, "\(count) octets")
      #expect(Coalescing.roundTrip(packets).writes == 3, "\(count) octets")
    }
  }

  @Test(arguments: kinds, 0..<10 as Range<UInt64>)
  func damageIsNeverHiddenByMerging(kind: Kind, seed: UInt64) {
    var traffic = Traffic(seed: seed)
    for _ in 0..<20 {
      let flow = kind.flow(&traffic)
      var stream = Traffic.stream(flow, payload: traffic.payload(500), size: 100)
      for _ in 0..<Int.random(in: 1...3, using: &traffic.random) {
        let victim = stream.indices.randomElement(using: &traffic.random) ?? 0
        let octet = Int.random(in: 0..<stream[victim].count, using: &traffic.random)
        stream[victim][octet] ^= 1 << UInt8.random(in: 0...7, using: &traffic.random)
      }
      // One that now belongs to another flow may be written earlier or later.
      let result = Coalescing.roundTrip(stream)
      #expect(
        result.packets.map(\.description).sorted() == stream.map(\.description).sorted(), "seed \(seed)")
    }
  }

  @Test func whatTheKernelCannotCutAgainStaysAlone() {
    /// The writes for two packets of an IPv6 flow after a change that keeps checksums right.
    func writes(_ change: (inout [[UInt8]]) -> Void) -> Int {
      var flow = Traffic.Flow()
      flow.family = .v6
      var packets = Traffic.stream(flow, payload: [UInt8](repeating: 1, count: 200), size: 100)
      change(&packets)
      let result = Coalescing.roundTrip(packets)
      #expect(result.packets == packets)
      return result.writes
    }
    #expect(writes { _ in } == 1)
    // Another flow label, which no checksum covers.
    #expect(writes { $0[1][3] ^= 1 } == 2)
    // A fragment header.
    #expect(writes { $0[1][6] = 44 } == 2)
    #expect(writes { packets in for index in 0...1 { packets[index][6] = 44 } } == 2)
    // A payload length that contradicts the packet.
    #expect(writes { $0[1][5] ^= 1 } == 2)
    // A header of TCP that is longer than the packet, or shorter than itself.
    #expect(writes { $0[1][52] = 0xF0 } == 2)
    #expect(writes { $0[1][52] = 0x40 } == 2)
  }
}
