import Net
import Testing

@Suite struct HeaderTests {
  /// A UDP packet whose header checksum (0xb861) is the worked example found in textbooks.
  static let ipv4: [UInt8] = [
    0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0,
    0xa8, 0x00,
    0xc7,
  ]

  private func headerSum(_ bytes: [UInt8]) -> UInt16 {
    var sum = Checksum()
    sum.add(bytes.span.bytes)
    return sum.value
  }

  @Test func aValidHeaderSumsToZero() {
    #expect(headerSum(Self.ipv4) == 0)
  }

  @Test func loweringTheHopLimitKeepsTheChecksumValid() {
    for ttl in 1...255 {
      var bytes = Self.ipv4
      bytes[8] = UInt8(ttl)
      bytes[10] = 0
      bytes[11] = 0
      let sum = headerSum(bytes)
      bytes[10] = UInt8(sum >> 8)
      bytes[11] = UInt8(sum & 255)
      var span = bytes.mutableSpan
      var raw = span.mutableBytes
      raw.decrementHopLimit()
      raw.setECN(UInt8(ttl & 3))
      #expect(bytes[8] == UInt8(ttl - 1))
      #expect(bytes[1] == UInt8(ttl & 3))
      #expect(headerSum(bytes) == 0)
    }
  }

  @Test func lengthsAreCheckedAgainstWhatArrived() {
    var packet = Self.ipv4 + [UInt8](repeating: 0, count: 0x73 - 20)
    #expect(IPHeader(reading: packet.span.bytes)?.totalLength == 0x73)
    #expect(IPHeader(reading: (packet + [0, 0, 0]).span.bytes)?.totalLength == 0x73)
    packet.removeLast()
    #expect(IPHeader(reading: packet.span.bytes) == nil)
    for length in 0..<40 {
      var bytes = [UInt8](repeating: 0, count: length)
      if length > 0 { bytes[0] = 0x60 }
      #expect(IPHeader(reading: bytes.span.bytes) == nil)
    }
    var short = Self.ipv4
    short[3] = 19
    #expect(IPHeader(reading: short.span.bytes) == nil)
    short[3] = 20
    short[0] = 0x44
    #expect(IPHeader(reading: short.span.bytes) == nil)
  }

  @Test func anOddLastByteCountsAsHighByte() {
    var sum = Checksum()
    sum.add(([0x12, 0x34, 0x56] as [UInt8]).span.bytes)
    #expect(sum.value == 0x97CB)
  }
}
