import Net
import Testing

@Suite struct AddressTests {
  @Test(arguments: [
    ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::8:800:200C:417A", "2001:db8::8:800:200c:417a"),
    ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
    ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
  ])
  func iPv6TextRoundTrips(text: String, canonical: String) throws {
    let address = try #require(IPv6Address(text))
    #expect(address.description == canonical)
    #expect(IPv6Address(canonical) == address)
  }

  @Test(arguments: [
    "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1.2.3",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7:8::", ":1::", "1:", "::+1", "::1%eth0", "1:2:3:4:5:6:7:1.2.3.4",
  ])
  func badIPv6TextIsRefused(text: String) {
    #expect(IPv6Address(text) == nil)
  }

  @Test(arguments: [
    "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1..2.3", "a.b.c.d", "1.2.3.4 ", "+1.2.3.4",
  ])
  func badIPv4TextIsRefused(text: String) {
    #expect(IPv4Address(text) == nil)
  }

  @Test func prefixesClearHostBits() throws {
    #expect(try #require(IPPrefix("10.1.2.3/8")).description == "10.0.0.0/8")
    #expect(try #require(IPPrefix("fd00::1:2/64")).description == "fd00::/64")
    #expect(try #require(IPPrefix("fd00:1:2:3:4::/65")).description == "fd00:1:2:3::/65")
    #expect(try #require(IPPrefix("1.2.3.4")).length == 32)
    #expect(IPPrefix("1.2.3.4/33") == nil)
    #expect(IPPrefix("::/129") == nil)
    #expect(IPPrefix("::/") == nil)
    #expect(IPPrefix("::/+1") == nil)
  }

  @Test func prefixesContainTheirAddressesOnly() throws {
    var random = SplitMix64(seed: 7)
    for _ in 0..<2000 {
      let length = Int.random(in: 0...128, using: &random)
      let address = IPv6Address(high: random.next(), low: random.next())
      let prefix = try #require(IPPrefix(.v6(address), length: length))
      #expect(prefix.contains(.v6(address)))
      guard length > 0 else { continue }
      var flipped = address
      let bit = Int.random(in: 0..<length, using: &random)
      if bit < 64 { flipped.high ^= 1 << UInt64(63 - bit) } else { flipped.low ^= 1 << UInt64(127 - bit) }
      #expect(!prefix.contains(.v6(flipped)))
      #expect(!prefix.contains(.v4(.any)))
    }
  }

  @Test func endpointsRoundTrip() throws {
    for text in ["1.2.3.4:51820", "[::1]:1", "[fe80::1%12]:65535"] {
      #expect(try #require(Endpoint(text)).description == text)
    }
    for text in [
      "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "::1:5", "[::1]", "[::1%eth0]:5", "host:5", "1.2.3.4:+5",
    ] {
      #expect(Endpoint(text) == nil, "\(text)")
    }
  }
}
