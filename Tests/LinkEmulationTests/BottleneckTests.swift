import LinkEmulation
import Net
import Testing

@Suite struct BottleneckTests {
  private let a = Endpoint(address: .v4(IPv4Address(10, 0, 0, 1)), port: 1)
  private let b = Endpoint(address: .v4(IPv4Address(10, 0, 0, 2)), port: 2)
  private var link = EmulatedLink(seed: 1)

  /// A frame with an IPv4 packet of `length` octets.
  private func frame(_ length: Int, mayFragment: Bool = false) -> EthernetFrame {
    let payload = (0..<length - 28).map { UInt8(truncatingIfNeeded: $0) }
    return TestFrame.frame(TestFrame.udp(from: a, to: b, payload: payload, mayFragment: mayFragment))
  }

  @Test mutating func packetsUpToTheMTUPassAndLargerOnesVanish() throws {
    _ = try link.perform("ab mtu 1280")
    #expect(link.crossing(frame(1280)).count == 1)
    #expect(link.crossing(frame(1281, mayFragment: true)).isEmpty)
    #expect(link.crossing(TestFrame.opaque(1, length: 1295)).isEmpty)
    #expect(link.arrivals(at: .a, .ms(0)).isEmpty)
    #expect(link.ab.counters.dropped(.mtu) == 2)
    _ = try link.perform("both clear")
    #expect(link.crossing(frame(1281)).count == 1)
  }

  @Test mutating func aRouterAnswersThatTheMTUIsSmaller() throws {
    _ = try link.perform("ab mtu 1280 router on")
    #expect(link.crossing(frame(1400)).isEmpty)
    let answer = try #require(link.arrivals(at: .a, .ms(0)).first)
    let header = try #require(answer.header)
    #expect(header.source == b.address && header.destination == a.address)
    #expect(Array(answer.octets[..<12]) == TestFrame.insideHardware + TestFrame.outsideHardware)
    #expect(answer.payload[20...21] == [3, 4])
    #expect(answer.payload[26...27] == [0x05, 0x00])
    #expect(TestFrame.checksum(answer.payload[20...]) == 0)
    #expect(Array(answer.payload[28..<56]) == Array(frame(1400).payload[..<28]))
  }

  @Test mutating func theAnswerQuotesThePacketAsItsSenderKnowsIt() throws {
    _ = try link.perform("nat on address 192.0.2.1")
    _ = try link.perform("ab mtu 1280 router on")
    _ = link.crossing(frame(1400))
    let answer = try #require(link.arrivals(at: .a, .ms(0)).first)
    #expect(Array(answer.payload[28..<56]) == Array(frame(1400).payload[..<28]))
  }

  @Test mutating func aRouterTellsIPv6OfIt() throws {
    _ = try link.perform("ab mtu 1280 router on")
    var packet = ByteWriter()
    packet.append(big32: 0x6000_0000)
    packet.append(big16: 1360)
    packet.append(big16: 17 << 8 | 64)
    for last in [UInt64(1), 2] {
      packet.append(big64: 0x2001_0DB8_0000_0000)
      packet.append(big64: last)
    }
    packet.append(contentsOf: [UInt8](repeating: 0, count: 1360))
    #expect(link.crossing(TestFrame.frame(packet.bytes, type: 0x86DD)).isEmpty)
    let answer = try #require(link.arrivals(at: .a, .ms(0)).first)
    #expect(answer.payload[40...41] == [2, 0])
    #expect(answer.payload[46...47] == [0x05, 0x00])
  }

  @Test mutating func aRouterFragmentsWhatMayBe() throws {
    _ = try link.perform("ab mtu 600 router on")
    let whole = frame(1400, mayFragment: true)
    let fragments = link.crossing(whole)
    #expect(fragments.map(\.payload.count) == [596, 596, 248])
    var payload: [UInt8] = []
    for (index, fragment) in fragments.enumerated() {
      let packet = fragment.payload
      let header = try #require(fragment.header)
      #expect(header.totalLength == packet.count)
      #expect(TestFrame.checksum(packet[..<20]) == 0)
      let field = UInt16(packet[6]) << 8 | UInt16(packet[7])
      #expect(Int(field & 0x1FFF) * 8 == payload.count)
      #expect((field & 0x2000 != 0) == (index < 2))
      payload += packet[20...]
    }
    #expect(payload == Array(whole.payload[20...]))
    #expect(link.ab.counters.dropped(.mtu) == 0)
  }
}
