import Foundation
import Net
import Noise
import Testing

@Suite struct KeyTextTests {
  @Test func agreesWithFoundationOnRandomKeys() throws {
    var random = SplitMix64(seed: 21)
    for _ in 0..<500 {
      let octets = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      let key = PublicKey(octets.span.bytes)
      #expect(key.base64 == Data(octets).base64EncodedString())
      #expect(key.hex == octets.map { String(format: "%02x", $0) }.joined())
      #expect(PublicKey(base64: key.base64) == key)
      #expect(PublicKey(hex: key.hex) == key && PublicKey(hex: key.hex.uppercased()) == key)
      #expect(key.bytes == octets)
    }
  }

  @Test func everyOctetIsRefusedInEveryPlaceWhereItIsNoDigit() {
    let text = Array("YTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".utf8)
    let digits = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    for place in 0..<42 {
      for octet in 0...127 as ClosedRange<UInt8> {
        var changed = text
        changed[place] = octet
        let key = PublicKey(base64: String(decoding: changed, as: UTF8.self))
        if (key != nil) != digits.contains(octet) { Issue.record("\(octet) at \(place)") }
      }
    }
  }

  @Test(arguments: [
    "", "=", "YTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE", "YTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE==",
    "YTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDF=", "YTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEA",
    " TEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "YTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n",
    "YTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5ME9=", "é",
  ])
  func malformedBase64IsRefused(text: String) {
    #expect(PublicKey(base64: text) == nil)
    #expect(PrivateKey(base64: text) == nil && PresharedKey(base64: text) == nil)
  }

  @Test func malformedHexIsRefused() {
    let text = String(repeating: "0a", count: 32)
    #expect(PublicKey(hex: text) != nil)
    #expect(PublicKey(hex: text.dropLast()) == nil && PublicKey(hex: text + "0") == nil)
    #expect(PublicKey(hex: "g" + text.dropFirst()) == nil && PublicKey(hex: ":" + text.dropFirst()) == nil)
  }

  @Test func secretsAreReadAndShownAsWgDoes() throws {
    var random = SplitMix64(seed: 22)
    let key = try #require(PrivateKey.generate(using: &random))
    #expect(PrivateKey(base64: key.base64)?.publicKey == key.publicKey)
    #expect(PrivateKey(hex: key.hex)?.publicKey == key.publicKey)
    // `wg pubkey` of a key that is not clamped.
    let unclamped = try #require(PrivateKey(hex: String(repeating: "ff", count: 32)))
    #expect(unclamped.hex == "f8" + String(repeating: "ff", count: 30) + "7f")
    let psk = PresharedKey(using: &random)
    #expect(PresharedKey(base64: psk.base64) == psk && PresharedKey(hex: psk.hex) == psk)
    #expect(PresharedKey(using: &random) != psk)
  }

  @Test func zerosAreNoSecret() {
    #expect(PrivateKey(hex: String(repeating: "0", count: 64)) == nil)
    #expect(PresharedKey(hex: String(repeating: "0", count: 64)) == nil)
    #expect(PublicKey(hex: String(repeating: "0", count: 64)) != nil)
  }
}
