import Foundation
import Net
import Testing

@testable import Babel

/// Parser state, natural sizes and hostile input.
///
/// Numbers in names are those of the RFC's pitfalls in our notes.
@Suite struct PacketReaderTests {
  static let routerID = "060a 0000 0102030405060708"

  @Test func pitfall12DefaultPrefixOfAnIgnoredUpdateTakesEffect() {
    let ignored = "0814 0280 40 00 0190 0001 0060 fd00000000000007 fe00"
    let compressed = "0812 0200 80 08 0190 0001 0060 0000000000000009"
    #expect(updates(Self.routerID + ignored + compressed) == ["fd00:0:0:7::9/128@102030405060708"])
  }

  @Test func pitfall12RouterIDOfAnIgnoredUpdateTakesEffect() {
    let ignored = "081c 0240 80 00 0190 0001 0060 fd00000000000000 0000000000000055 fe00"
    let plain = "0812 0200 40 00 0190 0001 0060 fd00000000000007"
    #expect(updates(ignored + plain) == ["fd00:0:0:7::/64@55"])
  }

  @Test func pitfall12CompressionOfIPv4AndIPv4ViaIPv6IsSeparate() {
    let nextHop = "0706 0100 0a000001"
    let setsAE1 = "080d 0180 18 00 0190 0001 0060 0a0102"
    let usesAE4 = "080b 0400 20 03 0190 0001 0060 07"
    let usesAE1 = "080b 0100 20 03 0190 0001 0060 07"
    #expect(
      updates(Self.routerID + nextHop + setsAE1 + usesAE4 + usesAE1)
        == ["10.1.2.0/24@102030405060708", "10.1.2.7/32@102030405060708"])
  }

  @Test func pitfall13RouterIDComesFromTheDecodedPrefix() {
    let setsDefault = "0812 0280 40 00 0190 0001 0060 fd00000000000007"
    // 72 bits, of which 64 are taken from the default prefix; the rest is zero.
    let compressed = "080b 0240 48 08 0190 0001 0060 ab"
    #expect(
      updates(Self.routerID + setsDefault + compressed)
        == ["fd00:0:0:7::/64@102030405060708", "fd00:0:0:7:ab00::/72@ab00000000000000"])
  }

  @Test func pitfall13RouterIDFromIPv4HasFourZeroOctets() {
    let nextHop = "0706 0100 0a000001"
    #expect(updates(nextHop + "080e 0140 20 00 0190 0001 0060 0a000005") == ["10.0.0.5/32@a000005"])
  }

  @Test func pitfall14SubTLVsStartAtTheNaturalEnd() {
    // An IHU without address and with timestamps is as long as one with a link-local address and a PadN.
    #expect(
      decode("0510 0000 0060 0190 0308 0000000100000002")
        == [
          .ihu(
            IHU(
              address: nil, rxcost: .wired, interval: Interval(centiseconds: 400),
              timestamps: IHU.Timestamps(origin: 1, receive: 2)))
        ])
    #expect(
      decode("0510 0300 0060 0190 0000000000000001 0100")
        == [
          .ihu(
            IHU(
              address: .v6(VirtualNetwork.linkLocal(0)), rxcost: .wired,
              interval: Interval(centiseconds: 400)))
        ])
  }

  @Test(arguments: [
    "0208 0000 0001 000a fe00", "0304 0001 fe00", "0408 0000 0001 0190 fe00", "0508 0000 0060 0190 fe00",
    "0904 0000 fe00", "0a20 0240 0001 40 00 0102030405060708 fd00000000000000 fe00 0100 0100",
  ])
  func pitfall15UnknownMandatorySubTLVDropsEveryKindOfTLV(hex: String) {
    #expect(decode(hex) == [])
  }

  @Test func unknownOptionalSubTLVIsSkipped() {
    #expect(decode("0408 0000 0001 0190 7e00").count == 1)
  }

  @Test func pitfall10RetractionNeedsNeitherRouterIDNorNextHop() {
    #expect(updates("080e 0100 20 00 0190 0001 ffff 0a000005") == ["10.0.0.5/32"])
    #expect(updates("0812 0200 40 00 0190 0001 ffff fd00000000000007") == ["fd00:0:0:7::/64"])
  }

  @Test func finiteUpdateNeedsRouterIDAndNextHop() {
    let ipv4 = "080e 0100 20 00 0190 0001 0060 0a000005"
    let ipv4ViaIPv6 = "080e 0400 20 00 0190 0001 0060 0a000005"
    #expect(updates(ipv4) == [])
    #expect(updates(Self.routerID + ipv4) == [])
    #expect(updates(Self.routerID + "0706 0100 0a000001" + ipv4).count == 1)
    #expect(updates(Self.routerID + ipv4ViaIPv6).count == 1)
  }

  @Test func pitfall11WildcardRetractionIsExactlyThat() {
    #expect(decode("080a 0000 00 00 0190 0001 ffff") == [.wildcardRetraction])
    #expect(decode("080a 0000 00 00 0190 0001 0060") == [])
    #expect(decode("080b 0000 01 00 0190 0001 ffff 00") == [])
    #expect(decode("080a 0000 00 01 0190 0001 ffff") == [])
  }

  @Test func sourcePrefixIsRecognised() {
    let update = "0819 0280 30 00 0640 2038 0000 20010db80002 8007 30 20010db80007"
    guard case .update(let decoded) = decode(Self.routerID + update).first else {
      Issue.record("no update")
      return
    }
    #expect(decoded.source == .test("2001:db8:7::/48"))
    #expect(decoded.prefix == .test("2001:db8:2::/48"))
    // Of length zero, twice, or without a family to belong to, it makes the TLV invalid.
    #expect(decode(Self.routerID + "080f 0200 00 00 0640 2038 0000 8001 00 0100") == [])
    #expect(decode(Self.routerID + "0812 0200 00 00 0640 2038 0000 8002 08 20 8002 08 20") == [])
    #expect(decode("0906 0000 8002 08 20") == [])
  }

  @Test func undecodableRouterIDIsForgottenNotKept() {
    let update = "0812 0200 40 00 0190 0001 0060 fd00000000000007"
    #expect(updates(Self.routerID + "0604 0000 0102" + update) == [])
    #expect(updates(Self.routerID + "060a 0000 0000000000000000" + update) == [])
    #expect(updates(Self.routerID + "0804 0240 8000" + update) == [])
  }

  @Test func undecodableNextHopIsForgottenNotKept() {
    let update = "080e 0100 20 00 0190 0001 0060 0a000005"
    let nextHop = "0706 0100 0a000001"
    #expect(updates(Self.routerID + nextHop + "0704 0100 0a00" + update) == [])
    // Next hops that cannot be are no next hops: nothing changes.
    #expect(updates(Self.routerID + nextHop + "0702 0000" + update).count == 1)
    #expect(updates(Self.routerID + nextHop + "0706 0400 0a000002" + update).count == 1)
  }

  @Test func undecodableDefaultPrefixIsForgottenNotKept() {
    let setsDefault = "0812 0280 40 00 0190 0001 ffff fd00000000000007"
    let compressed = "0812 0200 80 08 0190 0001 ffff 0000000000000009"
    #expect(updates(setsDefault + compressed).count == 2)
    #expect(updates(setsDefault + "080a 0280 81 00 0190 0001 ffff" + compressed).count == 1)
    #expect(updates(setsDefault + "0805 0280 8100 01" + compressed).count == 1)
    #expect(updates(setsDefault + "0805 0200 8100 01" + compressed).count == 2)
  }

  @Test func pitfall35StateStartsAnewInEveryPacket() {
    #expect(updates(Self.routerID + "0812 0280 40 00 0190 0001 0060 fd00000000000007").count == 1)
    #expect(updates("0812 0200 80 08 0190 0001 ffff 0000000000000009") == [])
  }

  @Test func trailerAndAuthenticationAreSkipped() {
    let packet =
      [UInt8].packet("110c 00000002 361f07d28321827d 0406 0000 0001 0190 1200 1300")
      + [UInt8](hex: "1010 432c68dc224de6e1c452e49140de32d1 0406 0000 0002 0190")
    #expect(Captures.messages(packet, from: VirtualNetwork.linkLocal(0)).count == 1)
  }

  @Test func everyPrefixLengthAndOmissionIsReadOrRefused() {
    for length in 0...255 {
      for omitted in 0...17 {
        let octets = (length + 7) / 8 - omitted
        let tail = String(repeating: "11", count: max(octets, 0))
        func hex(_ value: Int) -> String { (value < 16 ? "0" : "") + String(value, radix: 16) }
        let update =
          "08\(hex(10 + tail.count / 2))0200\(hex(length))\(hex(omitted))01900001ffff" + tail
        let isPossible = length <= 128 && octets >= 0
        #expect(updates(update).isEmpty == !(isPossible && omitted == 0), "\(length) \(omitted)")
        let setsDefault = "081a 0280 80 00 0190 0001 ffff 22222222222222222222222222222222"
        #expect(updates(setsDefault + update).count == (isPossible ? 2 : 1), "\(length) \(omitted)")
      }
    }
  }

  @Test func everyTruncationIsHarmless() throws {
    for name in Captures.names {
      for packet in try Captures.packets(name) {
        for length in 0..<packet.payload.count {
          var short = Array(packet.payload[..<length])
          _ = Captures.messages(short, from: packet.source)
          guard length >= 4 else { continue }
          (short[2], short[3]) = (UInt8((length - 4) >> 8), UInt8((length - 4) & 0xFF))
          _ = Captures.messages(short, from: packet.source)
        }
      }
    }
  }

  @Test func damagedPacketsAreHarmless() throws {
    var random = SplitMix64(seed: 42)
    let packets = try Captures.names.flatMap { try Captures.packets($0) }
    for _ in 0..<4000 {
      var packet = packets[Int(random.next() % UInt64(packets.count))]
      for _ in 0..<(1 + random.next() % 4) {
        let index = Int(random.next() % UInt64(packet.payload.count))
        packet.payload[index] = UInt8(truncatingIfNeeded: random.next())
      }
      let messages = Captures.messages(packet.payload, from: packet.source)
      // Whatever was understood can be said again.
      var writer = PacketWriter(limit: 4000, source: packet.source)
      for message in messages {
        let fits = writer.append(message)
        #expect(fits)
      }
      #expect(Captures.messages(writer.finish() ?? [], from: packet.source) == messages)
    }
  }
}

/// The packets of `malformed.json`.
@Suite struct MalformedPacketTests {
  struct Vectors: Decodable {
    struct Packet: Decodable, Sendable, CustomTestStringConvertible {
      var what: String
      var hex: String
      var expect: String
      var testDescription: String { what }
    }
    var packets: [Packet]
  }

  static let packets: [Vectors.Packet] = {
    let file = Captures.directory.appending(path: "malformed.json")
    let vectors = (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode(Vectors.self, from: $0) }
    return vectors?.packets ?? []
  }()

  @Test func thereAreVectors() {
    #expect(Self.packets.count == 42)
  }

  @Test(arguments: packets)
  func malformedPacketIsTreatedAsExpected(vector: Vectors.Packet) {
    let messages = Captures.messages([UInt8](hex: vector.hex), from: VirtualNetwork.linkLocal(0))
    switch vector.expect {
    case "TLV used", "processed", "full dump, rate limited", "skip or unscheduled",
      "policy: refused unless the peer may announce it":
      #expect(messages.count == 1)
    default:
      #expect(messages == [])
    }
  }
}
