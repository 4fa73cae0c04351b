import Net
import Testing

@testable import Tun

@Suite struct CoalescingTests {
  @Test(arguments: 0..<60 as Range<UInt64>)
  func aStreamIsMergedIntoOneAndCutIntoItselfAgain(seed: UInt64) {
    var traffic = Traffic(seed: seed)
    for _ in 0..<10 {
      var flow = traffic.flow()
      if Bool.random(using: &traffic.random) { flow.flags |= 0x80 }
      let size = Int.random(in: 1...1400, using: &traffic.random)
      let payload = traffic.payload(.random(in: 1...min(60000, size * 60), using: &traffic.random))
      let stream = Traffic.stream(
        flow, payload: payload, size: size, lastFlags: Bool.random(using: &traffic.random) ? 8 : 0)
      let (writes, packets) = Coalescing.roundTrip(stream)
      #expect(writes == 1, "seed \(seed)")
      #expect(packets == stream, "seed \(seed)")
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func mixedFlowsLoseNothingAndKeepTheOrderOfEachFlow(seed: UInt64) {
    var traffic = Traffic(seed: seed)
    let flows = (0..<Int.random(in: 1...6, using: &traffic.random)).map { _ in
      var flow = traffic.flow()
      // A repeated datagram with DF is merged, and cut again it has the next identification.
      flow.hasDF = false
      return flow
    }
    var streams = flows.map { flow in
      let size = Int.random(in: 1...300, using: &traffic.random)
      let payload = traffic.payload(.random(in: 1...4000, using: &traffic.random))
      var stream = Traffic.stream(flow, payload: payload, size: size)
      // Losses, repetitions, swaps and damage.
      for _ in 0..<Int.random(in: 0...3, using: &traffic.random) {
        let index = stream.indices.randomElement(using: &traffic.random) ?? 0
        let other = stream.indices.randomElement(using: &traffic.random) ?? 0
        switch Int.random(in: 0...3, using: &traffic.random) {
        case 0 where stream.count > 1: stream.remove(at: index)
        case 1: stream.insert(stream[index], at: other)
        case 2: stream.swapAt(index, other)
        default:
          // Not where it would be of another flow.
          let end = stream[index].count - 1
          let place = [0, 1, 2, 3, end].randomElement(using: &traffic.random) ?? end
          stream[index][place] ^= 1 << UInt8.random(in: 0...7, using: &traffic.random)
        }
      }
      return stream
    }
    let expected = streams
    var packets: [[UInt8]] = []
    while let index = streams.indices.filter({ !streams[$0].isEmpty }).randomElement(using: &traffic.random) {
      packets.append(streams[index].removeFirst())
    }
    let rest = Coalescing.roundTrip(packets).packets
    #expect(rest.count == packets.count, "seed \(seed)")
    #expect(rest.map(\.description).sorted() == packets.map(\.description).sorted(), "seed \(seed)")
    for stream in expected {
      // Each stream is a subsequence of what came out.
      var place = rest.startIndex
      for packet in stream {
        guard let found = rest[place...].firstIndex(of: packet) else {
          Issue.record("a flow lost its order, seed \(seed)")
          break
        }
        place = found + 1
      }
    }
  }

  /// Writes for two consecutive packets of a TCP flow, the second or both changed.
  private func writes(
    both: (inout Traffic.Flow) -> Void = { _ in }, second: (inout Traffic.Flow) -> Void = { _ in },
    sizes: (Int, Int) = (100, 100), damage: (inout [[UInt8]]) -> Void = { _ in }
  ) -> Int {
    var flow = Traffic.Flow()
    both(&flow)
    var next = flow
    next.sequence &+= UInt32(sizes.0)
    next.identification &+= 1
    second(&next)
    var packets = [
      Traffic.packet(flow, payload: [UInt8](repeating: 1, count: sizes.0)),
      Traffic.packet(next, payload: [UInt8](repeating: 2, count: sizes.1)),
    ]
    damage(&packets)
    return Coalescing.roundTrip(packets).writes
  }

  @Test func onlyPacketsThatFollowEachOtherWithEqualHeadersAreMerged() {
    #expect(writes() == 1)
    #expect(writes(second: { $0.sequence += 1 }) == 2)
    #expect(writes(second: { $0.sequence -= 1 }) == 2)
    #expect(writes(second: { $0.acknowledgment += 1 }) == 2)
    #expect(writes(second: { $0.window += 1 }) == 2)
    #expect(writes(second: { $0.hopLimit -= 1 }) == 2)
    #expect(writes(second: { $0.trafficClass = 1 }) == 2)
    #expect(writes(second: { $0.hasDF = false }) == 2)
    #expect(writes(second: { $0.options = [1] }) == 2)
    #expect(writes(both: { $0.options = [1] }, second: { $0.options = [2] }) == 2)
    #expect(writes(both: { $0.options = [1, 2] }) == 1)
    #expect(writes(second: { $0.port += 1 }) == 2)
    #expect(writes(second: { $0.host += 1 }) == 2)
    #expect(writes(sizes: (100, 101)) == 2)
    #expect(writes(sizes: (100, 99)) == 1)
    #expect(writes(sizes: (100, 0)) == 2)
    #expect(writes(sizes: (0, 0)) == 2)
    #expect(writes(both: { $0.ipOptions = [1, 1, 1, 1] }) == 2)
    #expect(writes(both: { $0.family = .v6 }) == 1)
    #expect(writes(both: { $0.family = .v6 }, second: { $0.trafficClass = 4 }) == 2)
    #expect(writes(both: { $0.family = .v6 }, second: { $0.hopLimit -= 1 }) == 2)
  }

  @Test func flagsDecideAboutMerging() {
    for flag: UInt8 in [0x01, 0x02, 0x04, 0x20] {
      #expect(writes(both: { $0.flags |= flag }) == 2)
      #expect(writes(second: { $0.flags |= flag }) == 2)
    }
    #expect(writes(both: { $0.flags = 0 }) == 2)
    // PSH may end a super-packet, not stand inside one.
    #expect(writes(second: { $0.flags |= 0x08 }) == 1)
    #expect(writes(both: { $0.flags |= 0x08 }, second: { $0.flags = 0x10 }) == 2)
    // ECE is equal or not merged, CWR is the first's alone.
    #expect(writes(both: { $0.flags |= 0x40 }) == 1)
    #expect(writes(second: { $0.flags |= 0x40 }) == 2)
    #expect(writes(both: { $0.flags |= 0x80 }) == 2)
    #expect(writes(second: { $0.flags |= 0x80 }) == 2)
    #expect(writes(both: { $0.flags |= 0x80 }, second: { $0.flags = 0x10 }) == 1)
  }

  @Test func theIdentificationCountsUpOrStandsStillWhereItMeansNothing() {
    #expect(writes(both: { $0.identification = 0xFFFF }) == 1)
    #expect(writes(second: { $0.identification += 1 }) == 2)
    #expect(writes(both: { $0.hasDF = false }) == 1)
    #expect(writes(both: { $0.hasDF = false }, second: { $0.identification -= 1 }) == 2)
    // Cut again it counts up, hence the round trip changes it.
    #expect(writes(both: { $0.hasDF = true }, second: { $0.identification -= 1 }) == 1)
  }

  @Test func nothingDamagedIsMerged() {
    for packet in 0...1 {
      #expect(writes(damage: { $0[packet][60] ^= 1 }) == 2)
      #expect(writes(damage: { $0[packet][10] ^= 1 }) == 2)
    }
  }

  @Test func datagramsWithoutChecksumStayAlone() {
    #expect(writes(both: { $0.transport = .udp }) == 1)
    #expect(writes(both: { $0.transport = .udp }, sizes: (100, 50)) == 1)
    #expect(writes(both: { $0.transport = .udp }, sizes: (50, 100)) == 2)
    for packet in 0...1 {
      #expect(
        writes(
          both: { $0.transport = .udp },
          damage: {
            $0[packet][26] = 0
            $0[packet][27] = 0
          }) == 2)
    }
  }

  @Test func aFragmentIsOvertakenByNothing() {
    let flow = Traffic.Flow()
    let stream = Traffic.stream(flow, payload: [UInt8](repeating: 1, count: 400), size: 100)
    var fragment = stream[0]
    fragment[6] = 0x20
    let packets = [stream[0], stream[1], fragment, stream[2], stream[3]]
    let result = Coalescing.roundTrip(packets)
    #expect(result.writes == 3)
    #expect(result.packets == packets)
  }

  @Test func withoutTheOffloadNothingIsMerged() {
    let stream = Traffic.stream(Traffic.Flow(), payload: [UInt8](repeating: 1, count: 400), size: 100)
    var none = Coalescing(TunOffloads())
    #expect(none.writes(of: stream).map(\.octets) == stream)
    var datagrams = Coalescing(TunOffloads(checksums: true, segments: true))
    var flow = Traffic.Flow()
    flow.transport = .udp
    let more = Traffic.stream(flow, payload: [UInt8](repeating: 1, count: 400), size: 100)
    #expect(datagrams.writes(of: stream + more).count == 5)
  }

  @Test func aSuperPacketEndsAtTheLargestIPPacketAndAtTheLimitOfDatagrams() {
    let payload = [UInt8](repeating: 3, count: 70000)
    let stream = Traffic.stream(Traffic.Flow(), payload: payload, size: 1000)
    let result = Coalescing.roundTrip(stream)
    #expect(result.writes == 2 && result.packets == stream)
    var flow = Traffic.Flow()
    flow.transport = .udp
    let datagrams = Traffic.stream(flow, payload: [UInt8](repeating: 3, count: 650), size: 10)
    #expect(Coalescing.roundTrip(datagrams).writes == 2)
  }
}
