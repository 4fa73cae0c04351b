import Net
import Testing

/// What is done to segments that open a connection.
@Suite struct MSSClampTests {
  private static let endsIPv4 = [IPAddress.v4(IPv4Address(10, 0, 0, 1)), .v4(IPv4Address(10, 0, 0, 2))]
  private static let endsIPv6 = [
    IPAddress.v6(IPv6Address(high: 0xFD44 << 48, low: 1)), .v6(IPv6Address(high: 0xFD44 << 48, low: 2)),
  ]
  private static let syn: UInt8 = 0x02

  /// A segment with these options, padded with end-of-list, and its checksum.
  private static func segment(
    _ family: AddressFamily, flags: UInt8 = syn, options: [UInt8] = [2, 4, 5, 0xB4], payload: [UInt8] = []
  ) -> [UInt8] {
    let ends = family == .v4 ? endsIPv4 : endsIPv6
    let options = options + [UInt8](repeating: 0, count: -options.count & 3)
    let length = 20 + options.count + payload.count
    var packet = ByteWriter()
    switch family {
    case .v4:
      packet.append(big32: 0x4500_0000 + UInt32(20 + length))
      packet.append(big32: 0x0007_4000)
      packet.append(big32: 0x4006_0000)
    case .v6:
      packet.append(big32: 0x6000_0000)
      packet.append(big32: UInt32(length) << 16 | 0x0640)
    }
    for end in ends { packet.append(end) }
    let start = packet.count
    for word: UInt32 in [0x1234_01BB, 0xDEAD_BEEF, 0] { packet.append(big32: word) }
    packet.append(byte: UInt8(20 + options.count) << 2)
    packet.append(byte: flags)
    packet.append(big16: 0xFAF0)
    packet.append(big32: 0)
    packet.append(contentsOf: options)
    packet.append(contentsOf: payload)
    packet.set(big16: sum(of: packet.bytes, from: start), at: start + 16)
    return packet.bytes
  }

  /// The TCP checksum over a packet, 0 if the one inside is right.
  private static func sum(of packet: [UInt8], from start: Int) -> UInt16 {
    let ends = start == 20 ? endsIPv4 : endsIPv6
    var sum = Checksum()
    sum.add(packet.span.bytes.extracting(start...))
    sum.addPseudoHeader(
      source: ends[0], destination: ends[1], protocolNumber: 6, length: packet.count - start)
    return sum.value
  }

  /// What the data plane does; `nil` if it leaves the packet alone.
  private static func clamp(_ packet: [UInt8], mtu: Int) -> [UInt8]? {
    guard let header = IPHeader(reading: packet.span.bytes), header.opensConnection(packet.span.bytes) else {
      return nil
    }
    var clamped = packet
    var span = clamped.mutableSpan
    var octets = span.mutableBytes
    octets.clampMSS(header, mtu: mtu)
    return clamped
  }

  private static func start(_ family: AddressFamily) -> Int { family == .v4 ? 20 : 40 }

  @Test(arguments: AddressFamily.allCases, [1200, 1280, 1420, 1499])
  func largerOfferIsLoweredToWhatFits(family: AddressFamily, mtu: Int) throws {
    let start = Self.start(family)
    let clamped = try #require(Self.clamp(Self.segment(family), mtu: mtu))
    // 1460 is the offer; 20 octets of TCP header are not in it.
    #expect(clamped.span.bytes.big16(start + 22) == UInt16(min(1460, mtu - start - 20)))
    #expect(Self.sum(of: clamped, from: start) == 0)
  }

  /// Both computed apart from this code.
  @Test func knownSegmentBecomesAnotherKnownOne() throws {
    let syn: [UInt8] = [
      0x45, 0x00, 0x00, 0x2C, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06, 0x26, 0xCA, 10, 0, 0, 1, 10, 0, 0, 2,
      0x00, 0x01, 0x00, 0x02, 0, 0, 0, 3, 0, 0, 0, 0, 0x60, 0x02, 0xFF, 0xFF, 0x84, 0x1E, 0, 0,
      0x02, 0x04, 0x05, 0xB4,
    ]
    #expect(Self.sum(of: syn, from: 20) == 0)
    let clamped = try #require(Self.clamp(syn, mtu: 1420))
    // 1460 becomes 1380, so the checksum rises by 80.
    #expect(clamped == syn[..<36] + [0x84, 0x6E, 0, 0, 0x02, 0x04, 0x05, 0x64])
  }

  @Test(arguments: AddressFamily.allCases)
  func smallerOfferAndNoneAreLeft(family: AddressFamily) {
    for options: [UInt8] in [
      [], [2, 4, 4, 0], [2, 4, 0, 0], [1, 1, 4, 2], [8, 10, 0, 0, 0, 1, 0, 0, 0, 0],
    ] {
      let packet = Self.segment(family, options: options)
      #expect(Self.clamp(packet, mtu: 1280) == packet, "\(options)")
    }
  }

  @Test func onlySegmentsThatOpenAConnectionAreLookedAt() {
    for flags in UInt8.min...0xFF {
      let opens = flags & 0x02 != 0 && flags & 0x04 == 0
      for family in AddressFamily.allCases {
        #expect((Self.clamp(Self.segment(family, flags: flags), mtu: 1280) != nil) == opens, "\(flags)")
      }
    }
  }

  @Test func fragmentsAndOtherProtocolsAreLeft() throws {
    for fragment: UInt8 in [0x01, 0x20] {
      var packet = Self.segment(.v4)
      packet[7] = fragment
      #expect(Self.clamp(packet, mtu: 1280) == nil)
    }
    // The first fragment has the options.
    var first = Self.segment(.v4)
    first[6] = 0x20
    #expect(try #require(Self.clamp(first, mtu: 1280)) != first)
    for family in AddressFamily.allCases {
      var datagram = Self.segment(family)
      datagram[family == .v4 ? 9 : 6] = 17
      #expect(Self.clamp(datagram, mtu: 1280) == nil)
    }
  }

  @Test(arguments: AddressFamily.allCases)
  func truncatedHeadersAreNotReadBeyond(family: AddressFamily) {
    let start = Self.start(family)
    let whole = Self.segment(family)
    for length in start..<whole.count {
      // As the length field says, though more octets (padding) follow.
      var packet = whole
      switch family {
      case .v4: packet[3] = UInt8(length)
      case .v6: packet[5] = UInt8(length - 40)
      }
      let clamped = Self.clamp(packet, mtu: 1280)
      #expect(clamped == nil || clamped == packet, "\(length)")
    }
  }

  @Test func malformedOptionsEndTheWalk() {
    let lists: [[UInt8]] = [
      [3, 0, 2, 4, 5, 0xB4], [3, 1, 2, 4, 5, 0xB4], [3, 200, 2, 4, 5, 0xB4], [0, 2, 4, 5, 0xB4],
      [2, 3, 5, 0xB4], [2, 5, 5, 0xB4, 1], [1, 1, 1, 2], [1, 1, 2, 4], [1, 2, 4, 5], [2],
    ]
    for list in lists {
      let packet = Self.segment(.v4, options: list)
      #expect(Self.clamp(packet, mtu: 1280) == packet, "\(list)")
    }
    for offset in UInt8(0)..<16 {
      var packet = Self.segment(.v4)
      packet[32] = offset << 4 | packet[32] & 0x0F
      #expect(Self.clamp(packet, mtu: 1280)?.count == packet.count)
    }
  }

  @Test func checksumThatWasWrongStaysWrong() throws {
    var packet = Self.segment(.v6)
    packet[57] ^= 0x10
    let before = Self.sum(of: packet, from: 40)
    #expect(before != 0)
    #expect(Self.sum(of: try #require(Self.clamp(packet, mtu: 1280)), from: 40) == before)
  }

  /// Options in any order and at any offset, even and odd.
  @Test(arguments: 1...500 as ClosedRange<UInt64>)
  func clampedSegmentHasARightChecksumAndStaysAsItIs(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let family: AddressFamily = seed % 2 == 0 ? .v4 : .v6
    var options: [UInt8] = []
    while options.count < 24 {
      switch random.next() % 4 {
      case 0: options += [1]
      case 1:
        options += [2, 4, UInt8(truncatingIfNeeded: random.next()), UInt8(truncatingIfNeeded: random.next())]
      case 2: options += [3, 3, 7]
      default:
        options += [UInt8(truncatingIfNeeded: random.next()), UInt8(truncatingIfNeeded: random.next() % 8)]
      }
    }
    let payload = (0..<random.next() % 9).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let packet = Self.segment(
      family, flags: Self.syn | UInt8(random.next() % 2) << 4, options: options, payload: payload)
    let mtu = Int(random.next() % 9000)
    let start = Self.start(family)
    let clamped = try #require(Self.clamp(packet, mtu: mtu), "seed \(seed)")
    #expect(Self.sum(of: clamped, from: start) == 0, "seed \(seed)")
    #expect(Self.clamp(clamped, mtu: mtu) == clamped, "seed \(seed)")
    let changed = packet.indices.filter { packet[$0] != clamped[$0] }
    #expect(changed.allSatisfy { $0 == start + 16 || $0 == start + 17 || $0 >= start + 22 }, "seed \(seed)")
  }
}
