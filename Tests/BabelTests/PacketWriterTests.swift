import Net
import Testing

@testable import Babel

/// What is written can be read, fits, and offends no stock daemon.
@Suite struct PacketWriterTests {
  private static func random(_ random: inout SplitMix64) -> TLV {
    func prefix(_ family: UInt64, _ random: inout SplitMix64) -> IPPrefix {
      if family == 0 {
        let address = IPAddress.v4(IPv4Address(bits: UInt32(truncatingIfNeeded: random.next())))
        return IPPrefix(address, length: Int(random.next() % 33)).unsafelyUnwrapped
      }
      let highs: [UInt64] = [0xFD00 << 48, 0xFD00 << 48 | 7, random.next()]
      let address = IPv6Address(high: highs[Int(random.next() % 3)], low: random.next() % 5)
      return IPPrefix(.v6(address), length: Int(random.next() % 129)).unsafelyUnwrapped
    }
    let seqno = Seqno(UInt16(truncatingIfNeeded: random.next()))
    let interval = Interval(centiseconds: UInt16(1 + random.next() % 60000))
    let routerID = RouterID.test(1 + random.next() % 4)
    let family = random.next() % 2
    var source: IPPrefix?
    if random.next() % 5 == 0 {
      let candidate = prefix(family, &random)
      source = candidate.isDefault ? nil : candidate
    }
    switch random.next() % 9 {
    case 0: return .acknowledgmentRequest(opaque: seqno.rawValue, interval: interval)
    case 1: return .acknowledgment(opaque: seqno.rawValue)
    case 2:
      return .hello(
        Hello(
          isUnicast: random.next() % 2 == 0, seqno: seqno, interval: interval,
          timestamp: random.next() % 2 == 0 ? UInt32(truncatingIfNeeded: random.next()) : nil))
    case 3:
      let addresses: [IPAddress?] = [
        nil, .v4(IPv4Address(10, 0, 0, 1)), .v6(VirtualNetwork.linkLocal(3)),
        .v6(IPv6Address(high: 5, low: 6)),
      ]
      return .ihu(
        IHU(
          address: addresses[Int(random.next() % 4)], rxcost: Metric(seqno.rawValue), interval: interval,
          timestamps: random.next() % 2 == 0 ? IHU.Timestamps(origin: 1, receive: 2) : nil))
    case 4: return .routeRequest(RouteRequest(prefix: prefix(family, &random), source: source))
    case 5: return random.next() % 2 == 0 ? .routeRequest(RouteRequest()) : .wildcardRetraction
    case 6:
      return .seqnoRequest(
        SeqnoRequest(
          prefix: prefix(family, &random), source: source, routerID: routerID, seqno: seqno,
          hopCount: UInt8(1 + random.next() % 255)))
    case 7:
      return .update(
        Update(
          retracting: prefix(family, &random), source: source,
          isIPv4ViaIPv6: family == 0 && random.next() % 2 == 0, seqno: seqno, interval: interval))
    default:
      let isViaIPv6 = family == 0 && random.next() % 2 == 0
      let nextHop: IPAddress =
        family == 0 && !isViaIPv6
        ? .v4(IPv4Address(10, 0, 0, UInt8(random.next() % 2)))
        : .v6(
          [VirtualNetwork.linkLocal(0), VirtualNetwork.linkLocal(1), IPv6Address(high: 9, low: 9)][
            Int(random.next() % 3)])
      return .update(
        Update(
          prefix: prefix(family, &random), source: source, isIPv4ViaIPv6: isViaIPv6, routerID: routerID,
          nextHop: nextHop, seqno: seqno, metric: Metric(UInt16(random.next() % 65535)), interval: interval))
    }
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func whateverIsWrittenIsReadAsWritten(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let limit = 512 + Int(random.next() % 900)
    var writer = PacketWriter(limit: limit, source: VirtualNetwork.linkLocal(0))
    var written: [TLV] = []
    var read: [TLV] = []
    for _ in 0..<200 {
      let message = Self.random(&random)
      written.append(message)
      guard !writer.append(message) else { continue }
      let packet = writer.finish() ?? []
      #expect(packet.count <= limit && packet.count > limit - 100)
      read += Captures.messages(packet, from: VirtualNetwork.linkLocal(0))
      let fits = writer.append(message)
      #expect(fits)
    }
    read += Captures.messages(writer.finish() ?? [], from: VirtualNetwork.linkLocal(0))
    #expect(read == written, "seed \(seed)")
  }

  @Test func nodeOfTheMeshTakesNoRouterIDAndAHalfPrefix() {
    var writer = PacketWriter(limit: 1372, source: Station.linkLocal)
    for node in 1...2 {
      let address = IPv6Address(high: 0xFD00 << 48, low: UInt64(node))
      _ = writer.append(
        .update(
          Update(
            prefix: IPPrefix(host: .v6(address)), routerID: .test(UInt64(node)),
            nextHop: .v6(Station.linkLocal), seqno: Seqno(1), metric: Metric(96),
            interval: Interval(centiseconds: 2000))))
    }
    // 4 header; 28 with P and R; the second shares 15 octets and needs R alone.
    let packet = writer.finish() ?? []
    #expect(packet.count == 4 + 28 + 13)
    #expect(packet[5 + 4 - 2] == 0xC0 || packet[4 + 3] == 0xC0)
  }

  @Test func flagsAndEncodingsSuitStockDaemons() {
    var random = SplitMix64(seed: 5)
    for _ in 0..<300 {
      var writer = PacketWriter(limit: 1372, source: VirtualNetwork.linkLocal(0))
      for _ in 0..<10 { _ = writer.append(Self.random(&random)) }
      let packet = writer.finish() ?? []
      var offset = 4
      while offset < packet.count {
        let body = offset + 2
        if packet[offset] == 8, packet[body] != 2 {
          #expect(packet[body + 1] == 0, "P or R flag on AE \(packet[body])")
          #expect(packet[body + 3] == 0, "AE \(packet[body]) compressed")
        }
        if packet[offset] == 9 || packet[offset] == 10 { #expect(packet[body] != 4) }
        offset = body + Int(packet[offset + 1])
      }
      #expect(offset == packet.count)
    }
  }

  @Test func refusedMessageChangesNothing() {
    var writer = PacketWriter(limit: 40, source: Station.linkLocal)
    guard case .update(let update) = Station.update(96) else { return }
    let first = writer.append(.hello(Hello(seqno: Seqno(1), interval: Station.long)))
    let second = writer.append(.update(update))
    #expect(first && !second)
    #expect(writer.finish()?.count == 12)
  }
}
