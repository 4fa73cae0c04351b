import Mesh
import Net
import Simulation
import Testing

@Suite struct ICMPErrorTests {
  private static func write(_ error: ICMPError, about packet: [UInt8], from source: String) -> [UInt8]? {
    guard let source = IPAddress(source) else { return nil }
    var output = [UInt8](repeating: 0xEE, count: ICMPError.maximumLength)
    var span = output.mutableSpan
    var bytes = span.mutableBytes
    guard let length = error.write(about: packet.span.bytes, from: source, to: &bytes) else { return nil }
    return Array(output[..<length])
  }

  @Test(
    arguments: [
      (.hopLimitExceeded, 11, 0, 0, 3, 0, 0), (.noRoute, 3, 0, 0, 1, 0, 0),
      (.hostUnreachable, 3, 1, 0, 1, 3, 0),
      (.prohibited, 3, 13, 0, 1, 1, 0), (.packetTooBig(mtu: 1420), 3, 4, 1420, 2, 0, 1420),
    ] as [(ICMPError, UInt8, UInt8, UInt32, UInt8, UInt8, UInt32)])
  func typesCodesAndChecksumsAreRight(
    error: ICMPError, type4: UInt8, code4: UInt8, rest4: UInt32, type6: UInt8, code6: UInt8, rest6: UInt32
  ) throws {
    for length in [20, 21, 100, 547, 548, 549, 1500] {
      let packet = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2", length: length)
      let message = try #require(Self.write(error, about: packet, from: "10.0.0.9"))
      let bytes = message.span.bytes
      let reading = IPHeader(reading: bytes)
      let header = try #require(reading)
      #expect(header.source == IPAddress("10.0.0.9") && header.destination == IPAddress("10.0.0.1"))
      #expect(header.totalLength == message.count && message.count == min(576, 28 + length))
      #expect(header.protocolNumber == 1 && header.hopLimit == 64)
      #expect(TestPacket.checksum(Array(message[..<20])) == 0)
      #expect(TestPacket.checksum(Array(message[20...])) == 0)
      #expect(message[20] == type4 && message[21] == code4 && bytes.big32(24) == rest4)
      #expect(packet.starts(with: message[28...]))
    }
    for length in [40, 41, 1231, 1232, 1233, 1500] {
      let packet = TestPacket.make(from: "fd00::1", to: "fd00::2", length: length)
      let message = try #require(Self.write(error, about: packet, from: "fd00::9"))
      let bytes = message.span.bytes
      let reading = IPHeader(reading: bytes)
      let header = try #require(reading)
      #expect(header.source == IPAddress("fd00::9") && header.destination == IPAddress("fd00::1"))
      #expect(header.totalLength == message.count && message.count == min(1280, 48 + length))
      var sum = Checksum()
      sum.add(bytes.extracting(40..<message.count))
      sum.addPseudoHeader(
        source: header.source, destination: header.destination, protocolNumber: 58, length: message.count - 40
      )
      #expect(sum.value == 0)
      #expect(message[40] == type6 && message[41] == code6 && bytes.big32(44) == rest6)
      #expect(packet.starts(with: message[48...]))
    }
  }

  @Test func errorsGroupsAndFragmentsAreNotAnswered() {
    func icmp4(_ type: UInt8) -> [UInt8] {
      TestPacket.make(
        from: "10.0.0.1", to: "10.0.0.2", protocolNumber: 1, payload: [type] + [UInt8](repeating: 0, count: 7)
      )
    }
    func v6(_ next: UInt8, _ payload: [UInt8]) -> [UInt8] {
      TestPacket.make(from: "fd00::1", to: "fd00::2", protocolNumber: next, payload: payload)
    }
    var fragment = TestPacket.make(from: "10.0.0.1", to: "10.0.0.2")
    fragment[7] = 1
    let zeros = [UInt8](repeating: 0, count: 7)
    let silent: [[UInt8]] =
      [3, 4, 5, 11, 12].map(icmp4) + [1, 2, 3, 4, 100, 127].map { v6(58, [$0] + zeros) } + [
        fragment,
        TestPacket.make(from: "10.0.0.1", to: "224.0.0.1"),
        TestPacket.make(from: "10.0.0.1", to: "255.255.255.255"),
        TestPacket.make(from: "0.0.0.0", to: "10.0.0.2"),
        TestPacket.make(from: "127.0.0.1", to: "10.0.0.2"),
        TestPacket.make(from: "fd00::1", to: "ff05::2"),
        TestPacket.make(from: "::", to: "fd00::2"),
        TestPacket.make(from: "ff05::1", to: "fd00::2"),
        // Behind options an error, behind a fragment header a later fragment, and a chain that runs out.
        v6(0, [58, 0, 0, 0, 0, 0, 0, 0, 1] + zeros),
        v6(44, [17, 0, 0, 8, 0, 0, 0, 0, 1, 2, 3, 4]),
        v6(60, [58, 9, 0, 0, 0, 0, 0, 0]),
        v6(43, [58]),
        [], [0x45],
      ]
    for packet in silent {
      for source in ["10.0.0.9", "fd00::9"] {
        #expect(Self.write(.hopLimitExceeded, about: packet, from: source) == nil, "\(packet)")
      }
    }
    let answered =
      [0, 8, 13].map(icmp4) + [128, 129, 255].map { v6(58, [$0] + zeros) } + [
        v6(0, [17, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]), v6(44, [17, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]),
      ]
    for packet in answered {
      let source = packet[0] >> 4 == 4 ? "10.0.0.9" : "fd00::9"
      #expect(Self.write(.hopLimitExceeded, about: packet, from: source) != nil, "\(packet)")
    }
  }

  @Test(arguments: [1, 2] as [UInt64])
  func randomPacketsAreHarmless(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<3_000 {
      var packet = (0..<random.next() % 100).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      if packet.count > 6 {
        packet[0] = random.next() % 2 == 0 ? 0x45 : 0x60
        packet[2] = 0
        packet[4] = 0
        packet[6] = [0, 43, 44, 58, 60][Int(random.next() % 5)]
      }
      _ = Self.write(.noRoute, about: packet, from: "10.0.0.9")
      _ = Self.write(.noRoute, about: packet, from: "fd00::9")
    }
  }
}
