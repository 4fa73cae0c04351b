import Net
import Testing

@testable import Tun

@Suite struct SegmentationTests {
  /// The virtio header that the kernel gives a super-packet.
  static func header(_ flow: Traffic.Flow, size: Int) -> VirtioHeader {
    var header = VirtioHeader()
    header.content = flow.transport == .udp ? .datagrams : flow.family == .v4 ? .tcp4 : .tcp6
    header.needsChecksum = true
    header.segmentSize = UInt16(size)
    header.checksumStart = UInt16((flow.family == .v4 ? 20 : 40) + flow.ipOptions.count)
    header.checksumOffset = flow.transport == .tcp ? 16 : 6
    return header
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func aSuperPacketBecomesThePacketsOfItsStream(seed: UInt64) throws {
    var traffic = Traffic(seed: seed)
    for _ in 0..<10 {
      var flow = traffic.flow()
      let size = Int.random(in: 1...1500, using: &traffic.random)
      let payload = traffic.payload(.random(in: 1...min(20000, size * 60), using: &traffic.random))
      if flow.family == .v4 {
        flow.ipOptions = [UInt8](repeating: 1, count: 4 * .random(in: 0...10, using: &traffic.random))
      } else if Bool.random(using: &traffic.random) {
        flow.ipOptions = [flow.transport.rawValue, 0, 1, 4, 0, 0, 0, 0]
      }
      flow.flags |= Bool.random(using: &traffic.random) ? 0x80 : 0
      let lastFlags: UInt8 = [0, 8, 9].randomElement(using: &traffic.random) ?? 0
      let expected = Traffic.stream(flow, payload: payload, size: size, lastFlags: lastFlags)
      flow.flags |= lastFlags
      let whole = Traffic.packet(flow, payload: payload)
      let plan = try #require(Segmentation(Self.header(flow, size: size), planning: whole))
      #expect(plan.packets(of: whole) == expected, "seed \(seed)")
    }
  }

  @Test func aPacketWithAnOpenChecksumIsCompleted() throws {
    var traffic = Traffic(seed: 1)
    for _ in 0..<50 {
      let flow = traffic.flow()
      let whole = Traffic.packet(
        flow, payload: traffic.payload(.random(in: 0...1400, using: &traffic.random)))
      var header = Self.header(flow, size: 0)
      header.content = .packet
      var open = whole
      let start = Int(header.checksumStart)
      let addresses = flow.family == .v4 ? Array(whole[12..<20]) : Array(whole[8..<40])
      let length = whole.count - start
      let pseudo = addresses + [0, flow.transport.rawValue, UInt8(length >> 8), UInt8(length & 0xFF)]
      let sum = ~Traffic.checksum(pseudo)
      let field = start + Int(header.checksumOffset)
      open.replaceSubrange(field..<field + 2, with: [UInt8(sum >> 8), UInt8(sum & 0xFF)])
      let plan = try #require(Segmentation(header, planning: open))
      #expect(plan.packets(of: open) == [whole])
      let finished = try #require(Segmentation(VirtioHeader(), planning: open))
      #expect(finished.packets(of: open) == [open])
    }
  }

  @Test func aHeaderThatContradictsItsPacketIsRejected() {
    var flow = Traffic.Flow()
    let whole = Traffic.packet(flow, payload: [UInt8](repeating: 1, count: 3000))
    let good = Self.header(flow, size: 1000)
    func accepts(_ packet: [UInt8] = whole, _ change: (inout VirtioHeader) -> Void) -> Bool {
      var header = good
      change(&header)
      return Segmentation(header, planning: packet) != nil
    }
    #expect(accepts { _ in })
    #expect(accepts { $0.headerLength = 65535 })
    #expect(!accepts { $0.segmentSize = 0 })
    #expect(!accepts { $0.content = .tcp6 })
    #expect(!accepts { $0.content = .datagrams })
    #expect(!accepts { $0.checksumStart = 24 })
    #expect(!accepts { $0.checksumOffset = 6 })
    #expect(!accepts(Array(whole.dropLast())) { _ in })
    #expect(!accepts(whole + [0]) { _ in })
    for count in 0..<40 { #expect(!accepts(Array(whole[..<count])) { _ in }) }
    var fragment = whole
    fragment[6] = 0x20
    #expect(!accepts(fragment) { _ in })
    var longHeader = whole
    longHeader[32] = 0xF0
    #expect(accepts(longHeader) { _ in })
    longHeader[32] = 0x40
    #expect(!accepts(longHeader) { _ in })
    // A checksum field outside the packet.
    func acceptsOpen(_ start: UInt16, _ offset: UInt16) -> Bool {
      accepts {
        $0.content = .packet
        $0.checksumStart = start
        $0.checksumOffset = offset
      }
    }
    #expect(acceptsOpen(20, UInt16(whole.count - 22)))
    #expect(!acceptsOpen(20, UInt16(whole.count - 21)))
    #expect(!acceptsOpen(65535, 65535))
    #expect(!acceptsOpen(0, 10))
    // IPv6: an extension header that runs out of the packet.
    flow.family = .v6
    flow.ipOptions = [6, 200, 1, 4, 0, 0, 0, 0]
    let endless = Traffic.packet(flow, payload: [UInt8](repeating: 1, count: 300))
    #expect(Segmentation(Self.header(flow, size: 100), planning: endless) == nil)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func whateverComesIsRejectedOrCutIntoWhatItHolds(seed: UInt64) {
    var traffic = Traffic(seed: seed)
    for _ in 0..<200 {
      let flow = traffic.flow()
      var packet = Traffic.packet(
        flow, payload: traffic.payload(.random(in: 0...300, using: &traffic.random)))
      for _ in 0..<Int.random(in: 0...4, using: &traffic.random) {
        packet[.random(in: 0..<min(packet.count, 60), using: &traffic.random)] =
          .random(in: 0...255, using: &traffic.random)
      }
      packet.removeLast(.random(in: 0...min(packet.count, 3), using: &traffic.random))
      var octets = traffic.payload(VirtioHeader.size)
      octets[1] = [0, 1, 4, 5, 0x81, 0x84].randomElement(using: &traffic.random) ?? 0
      guard var header = VirtioHeader(reading: octets.span.bytes) else {
        Issue.record("seed \(seed)")
        continue
      }
      if Bool.random(using: &traffic.random) { header.needsChecksum = false }
      header.segmentSize = header.segmentSize % 400
      guard let plan = Segmentation(header, planning: packet) else { continue }
      let total = plan.packets(of: packet).reduce(0) { $0 + $1.count }
      #expect(total >= packet.count, "seed \(seed)")
    }
  }

  @Test func aVirtioHeaderIsReadAsWrittenAndNothingUnknownIsRead() {
    var traffic = Traffic(seed: 3)
    for type: UInt8 in 0...255 {
      var octets = traffic.payload(VirtioHeader.size)
      octets[0] &= 1
      octets[1] = type
      let isKnown = [0, 1, 4, 5, 0x81, 0x84].contains(type)
      let header = VirtioHeader(reading: octets.span.bytes)
      #expect((header != nil) == isKnown)
      guard let header else { continue }
      var written = [UInt8](repeating: 0xFF, count: VirtioHeader.size)
      written.withUnsafeMutableBytes {
        var span = $0.mutableBytes
        header.write(to: &span)
      }
      #expect(written == octets)
    }
    let short = [UInt8](repeating: 0, count: VirtioHeader.size - 1)
    #expect(VirtioHeader(reading: short.span.bytes) == nil)
  }
}
