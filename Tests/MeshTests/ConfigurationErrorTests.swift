import Mesh
import Net
import Noise
import Testing

/// What a configuration file must not say, and the sentence that tells so.
@Suite struct ConfigurationErrorTests {
  private static let secret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
  private static let first = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="

  private func parse(_ text: String) throws(ConfigurationError) -> ConfigurationFile {
    try ConfigurationFile(parsing: text, name: "wg0.conf")
  }

  @Test(arguments: [
    ("PrivateKey = x", "1:1: `PrivateKey` stands before any section; put [Interface] or [Peer] above it"),
    ("[Foo]", "1:1: `[Foo]` is not a section; use [Interface] or [Peer]"),
    ("[Interface", "1:1: `[Interface` is not a section; use [Interface] or [Peer]"),
    ("[Interface]\n  Adress = x", "2:3: `Adress` is not a key of [Interface]; did you mean `Address`?"),
    ("[Interface]\nAnounce = x", "2:1: `Anounce` is not a key of [Interface]; did you mean `Announce`?"),
    ("[Interface]\n#meshd: Bable = on", "2:9: `Bable` is not a key of [Interface]; did you mean `Babel`?"),
    (
      "[Interface]\nWhatever = 1",
      "2:1: `Whatever` is not a key of [Interface]; take it out, or put `#` before it to keep it as a comment"
    ),
    (
      "[Peer]\nBabelKey = md5 00",
      "2:12: `BabelKey` is not an algorithm and a key; "
        + "write `hmac-sha256` and up to 64 octets, or `blake2s128` and up to 32, in hexadecimal digits"
    ),
    (
      "[Peer]\nBabelKey = hmac-sha256",
      "2:12: `BabelKey` is not an algorithm and a key; "
        + "write `hmac-sha256` and up to 64 octets, or `blake2s128` and up to 32, in hexadecimal digits"
    ),
    (
      "[Peer]\nBabelKey = hmac-sha256 0",
      "2:12: `BabelKey` is not an algorithm and a key; "
        + "write `hmac-sha256` and up to 64 octets, or `blake2s128` and up to 32, in hexadecimal digits"
    ),
    (
      "[Peer]\nBabelKey = blake2s128 000000000000000000000000000000000000000000000000000000000000000000",
      "2:12: `BabelKey` is not an algorithm and a key; "
        + "write `hmac-sha256` and up to 64 octets, or `blake2s128` and up to 32, in hexadecimal digits"
    ),
    (
      "[Peer]\nBabelKey = hmac-sha256 00 00",
      "2:12: `BabelKey` is not an algorithm and a key; "
        + "write `hmac-sha256` and up to 64 octets, or `blake2s128` and up to 32, in hexadecimal digits"
    ),
    ("[Interface]\nEndpoint = x", "2:1: `Endpoint` is not a key of [Interface]; move it to [Peer]"),
    ("[Peer]\nMTU = 1", "2:1: `MTU` is not a key of [Peer]; move it to [Interface]"),
    (
      "[Interface]\n#meshd: MTU = 1400",
      "2:9: `MTU` is not one of meshd's own keys; write it without `#meshd:`"
    ),
    (
      "[Interface]\nhello",
      "2:1: `hello` is not a setting; write it as `Key = value`, or put `#` before a comment"
    ),
    (
      "[Interface]\n= 1",
      "2:1: `` is not a key of [Interface]; take it out, or put `#` before it to keep it as a comment"
    ),
    ("[Peer]", "1:1: this peer has no `PublicKey`; add `PublicKey = …` below [Peer]"),
  ])
  func structureIsChecked(text: String, message: String) {
    expectError(text, message)
  }

  @Test(arguments: [
    (
      "PrivateKey = abc",
      "`PrivateKey` is not a key; paste the 44 characters that `meshd genkey` prints, ending in `=`"
    ),
    ("ListenPort = 65536", "`65536` is not a UDP port; write a number from 0 to 65535"),
    ("ListenPort =", "`` is not a UDP port; write a number from 0 to 65535"),
    ("FwMark = 0x", "`0x` is not a mark; write 0 to 0xffffffff, or `off`"),
    ("FwMark = -1", "`-1` is not a mark; write 0 to 0xffffffff, or `off`"),
    ("Address = 10.0.0.1/33", "`10.0.0.1/33` is not an address; write one like 10.0.0.1/24 or fd00::1/64"),
    ("Address = 10.0.0.01", "`10.0.0.01` is not an address; write one like 10.0.0.1/24 or fd00::1/64"),
    ("MTU = 67", "`67` is not an MTU; write a number from 68 to 65535"),
    ("Table = maybe", "`maybe` is not a routing table; write `auto`, `off` or the table's number"),
    ("SaveConfig = 1", "`1` is neither true nor false; write `true` or `false`"),
    ("Babel = yes", "`yes` is neither on nor off; write `on` or `off`"),
    (
      "MonitorSocket = here",
      "`here` is not a place for a socket; write `on`, `off`, an absolute path or a TCP port"
    ),
    ("Transit = fast", "`fast` is not a way of transit; write `process`, `kernel` or `off`"),
    ("Adjacencies = 0", "`0` is no number of neighbours; write 1 to 1000, or `all`"),
    ("Adjacencies = none", "`none` is no number of neighbours; write 1 to 1000, or `all`"),
    ("RPF = loose", "`loose` is not a source check; write `anchored`, `covering`, `strict` or `off`"),
    (
      "Announce = 1.2.3.4/x",
      "`1.2.3.4/x` is not a prefix; write one like 10.0.0.0/24 or fd00::/64, or `connected`, or `kernel PROTOCOL`"
    ),
    (
      "Announce =",
      "a prefix is missing here; write one like 10.0.0.0/24 or fd00::/64, or `connected`, or `kernel PROTOCOL`"
    ),
  ])
  func interfaceValuesAreChecked(line: String, message: String) {
    let column = (line.firstIndex(of: "=").map { line.distance(from: line.startIndex, to: $0) } ?? 0) + 3
    let atEnd = line.hasSuffix("=") ? column - 1 : column
    expectError("[Interface]\n\(line)", "2:\(atEnd): \(message)")
  }

  @Test(arguments: [
    (
      "PublicKey = \(Self.first)x",
      "2:13: `PublicKey` is not a key; paste the 44 characters that `meshd pubkey` prints, ending in `=`"
    ),
    (
      "PresharedKey = secret",
      "2:16: `PresharedKey` is not a key; paste the 44 characters that `meshd genpsk` prints, ending in `=`"
    ),
    ("AllowedIPs = 10.0.0.1/32, x", "2:27: `x` is not a prefix; write one like 10.0.0.0/24 or fd00::/64"),
    ("AllowedIPs = 10.0.0.1/32,", "2:26: a prefix is missing here; write one like 10.0.0.0/24 or fd00::/64"),
    (
      "Endpoint = 1.2.3.4",
      "2:12: `1.2.3.4` is not an endpoint; "
        + "write one like 192.0.2.1:51820, [2001:db8::1]:51820 or host.example.org:51820"
    ),
    (
      "Endpoint = a:1, 2001:db8::1:51820",
      "2:17: `2001:db8::1:51820` is not an endpoint; "
        + "write one like 192.0.2.1:51820, [2001:db8::1]:51820 or host.example.org:51820"
    ),
    ("PersistentKeepalive = 65536", "2:23: `65536` is not a number of seconds; write 1 to 65535, or `off`"),
    ("Accept = none, 10.0.0.0/8", "2:10: `none` is not a prefix; write one like 10.0.0.0/24 or fd00::/64"),
  ])
  func peerValuesAreChecked(line: String, message: String) {
    expectError("[Peer]\n\(line)", message)
  }

  @Test func messagesHideSecretsAndTameWildText() {
    expectError(
      "[Interface]\nPrivateKey = \(Self.secret.dropLast(2))", "2:14: `PrivateKey` is not a key;",
      isPrefix: true)
    expectError("[Interface]\n\u{1B}[31mé = 1", "2:1: `\\u{1b}[31mé` is not a key", isPrefix: true)
    let long = String(repeating: "x", count: 1000)
    expectError("[Interface]\n\(long) = 1", "2:1: `\(long.prefix(60))…` is not", isPrefix: true)
  }

  private func expectError(_ text: String, _ message: String, isPrefix: Bool = false) {
    do throws(ConfigurationError) {
      _ = try parse(text)
      Issue.record("\(text) was accepted")
    } catch {
      let description = error.description
      #expect(isPrefix ? description.hasPrefix("wg0.conf:\(message)") : description == "wg0.conf:\(message)")
    }
  }
}
