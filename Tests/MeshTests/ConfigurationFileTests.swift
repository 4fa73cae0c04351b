import Mesh
import Net
import Noise
import Testing

@Suite struct ConfigurationFileTests {
  private static let secret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
  private static let own = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="
  private static let first = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
  private static let second = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="
  private static let psk = "/UwcSPg38hW/D9Y3tcS1FOV0K1wuURMbS0sesJEP5ak="

  private func parse(_ text: String) throws(ConfigurationError) -> ConfigurationFile {
    try ConfigurationFile(parsing: text, name: "wg0.conf")
  }

  private func addresses(_ configuration: Configuration) -> [String] {
    configuration.interface.host.addresses.map { "\($0.address)/\($0.prefixLength)" }
  }

  private func prefixes(_ configuration: Configuration) -> [String] {
    configuration.peers.map { $0.allowedIPs.map(\.description).joined(separator: " ") }
  }

  // MARK: what is accepted

  @Test func everyKeyIsRead() throws {
    let file = try parse(
      """
      # /etc/meshd/wg0.conf
      [Interface]
      PrivateKey = \(Self.secret)
      ListenPort = 51820
      FwMark = 0xCA6C
      Address = 10.44.0.1/24, fd00::1/64
      Address = 10.44.0.9
      MTU = 1380
      Table = 1234
      PreUp = echo pre %i
      PostUp = iptables -A FORWARD -i %i -j ACCEPT; echo a=b
      PostUp = second # with a comment
      PreDown = down
      PostDown = gone
      #meshd: Babel = on
      Announce = 192.168.1.0/24, fd01::/48
      #meshd: Announce = 172.16.0.0/12
      Transit = kernel
      #meshd: rpf = Strict

      [Peer]
      # friendly_name = bob
      PublicKey = \(Self.first)
      PresharedKey = \(Self.psk)
      AllowedIPs = 10.9.0.0/24, fd00::2/128
      AllowedIPs = 10.0.0.2
      Endpoint = 192.95.5.67:1234, [2607:5300:60:6b0::c05f:543]:1234, myserver.dyndns.tld:1234
      Endpoint = 192.168.1.42:1234
      #meshd: Endpoint = [fe80::1%eth0]:9
      PersistentKeepalive = 25
      Babel = off
      #meshd: Accept = 10.9.0.0/16
      #meshd: Accept = fd00::/16
      BabelKey = HMAC-SHA256 00112233
      #meshd: BabelKey = blake2s128 aaBB
      """)
    let interface = file.configuration.interface
    #expect(interface.privateKey?.publicKey.base64 == Self.own)
    #expect(interface.listenPort == 51820 && interface.firewallMark == 0xCA6C && interface.babel)
    #expect(addresses(file.configuration) == ["10.44.0.1/24", "fd00::1/64", "10.44.0.9/32"])
    #expect(interface.host.mtu == 1380 && interface.host.table == .number(1234))
    #expect(interface.host.preUp == ["echo pre %i"] && interface.host.preDown == ["down"])
    #expect(interface.host.postUp == ["iptables -A FORWARD -i %i -j ACCEPT; echo a=b", "second"])
    #expect(interface.host.postDown == ["gone"] && interface.transit == .kernel)
    #expect(interface.sourceCheck == .strict)
    #expect(interface.announce.map(\.description) == ["192.168.1.0/24", "fd01::/48", "172.16.0.0/12"])
    let peer = file.configuration.peers[0]
    #expect(peer.publicKey.base64 == Self.first && peer.presharedKey?.base64 == Self.psk)
    #expect(prefixes(file.configuration) == ["10.9.0.0/24 fd00::2/128 10.0.0.2/32"])
    #expect(
      peer.endpoints.map(\.description) == [
        "192.95.5.67:1234", "[2607:5300:60:6b0::c05f:543]:1234", "myserver.dyndns.tld:1234",
        "192.168.1.42:1234",
        "[fe80::1%eth0]:9",
      ])
    #expect(peer.persistentKeepalive == 25 && peer.babel == false)
    #expect(peer.accept?.map(\.description) == ["10.9.0.0/16", "fd00::/16"])
    #expect(peer.babelKeys.map(\.algorithm) == [.hmacSHA256, .blake2s])
    #expect(peer.babelKeys.map(\.hex) == ["00112233", "aabb"])
    #expect(file.warnings.isEmpty)
  }

  @Test func spellingIsAsFreeAsWithStockTools() throws {
    let file = try parse(
      "\u{FEFF}\r\n [ interface ] \r\n\tprivatekey=\(Self.secret)\r\n listenport = 5 1 820 # port\r\n"
        + "FWMARK = OFF\r\ndns = 1.1.1.1, example.org\r\nsaveconfig = True\r\nmtu =\r\ntable =\r\n"
        + "ADDRESS = 10.0.0.1/8 10.0.0.2/8,\r\n"
        + "[PEER]\npublickey = \(Self.first)\nallowedips = 10.0.0.1 / 32 ,fd00::/8\npersistentkeepalive = off"
    )
    #expect(file.configuration.interface.listenPort == 51820)
    #expect(addresses(file.configuration) == ["10.0.0.1/8", "10.0.0.2/8"])
    #expect(prefixes(file.configuration) == ["10.0.0.1/32 fd00::/8"])
    #expect(file.dns == ["1.1.1.1", "example.org"] && file.saveConfig == true)
    #expect(file.warnings.map(\.description).first?.hasPrefix("wg0.conf:6:7: warning: `DNS`") == true)
    #expect(file.warnings.count == 2)
  }

  @Test func aFileWithoutAnythingIsAnEmptyConfiguration() throws {
    for text in ["", "\n", "# nothing", "[Interface]"] {
      #expect(try parse(text).configuration == Configuration())
    }
  }

  @Test(arguments: [("off", 0), ("0", 0), ("0x10", 16), ("4294967295", UInt32.max)])
  func marksAreReadAsByWG(text: String, mark: UInt32) throws {
    #expect(try parse("[Interface]\nFwMark = \(text)").configuration.interface.firewallMark == mark)
  }

  @Test func tablesAreAutoOffOrNumbers() throws {
    for (text, table) in [
      ("auto", .auto), ("off", .off), ("51820", .number(51820)), ("main", .number(254)), ("0x7", .number(7)),
    ] as [(String, Configuration.HostSettings.Table)] {
      #expect(try parse("[Interface]\nTable = \(text)").configuration.interface.host.table == table)
    }
  }

  @Test func zeroKeysStandForNone() throws {
    let zero = String(repeating: "A", count: 43) + "="
    let file = try parse(
      "[Interface]\nPrivateKey = \(zero)\n[Peer]\nPublicKey = \(Self.first)\nPresharedKey = \(zero)")
    #expect(file.configuration.interface.privateKey == nil && file.configuration.peers[0].presharedKey == nil)
  }

  // MARK: several peers

  @Test func aPeerListedAgainChangesAsWithWG() throws {
    let file = try parse(
      """
      [Peer]
      PublicKey = \(Self.first)
      AllowedIPs = 10.0.0.1/32
      Endpoint = 192.0.2.1:1
      PersistentKeepalive = 5
      [Peer]
      PublicKey = \(Self.first)
      AllowedIPs = 10.0.0.2/32
      """)
    #expect(file.configuration.peers.count == 1 && prefixes(file.configuration) == ["10.0.0.2/32"])
    #expect(file.configuration.peers[0].persistentKeepalive == 5)
    #expect(file.configuration.peers[0].endpoints.count == 1)
    #expect(
      file.warnings.map(\.description)
        == ["wg0.conf:6:1: warning: this peer was listed before; its allowed IPs are replaced"])
  }

  @Test(arguments: [
    ("on", "", "", ["10.0.0.0/8 10.1.0.0/16", "10.0.0.0/8"]),
    ("off", "", "", ["10.1.0.0/16", "10.0.0.0/8"]),
    ("on", "off", "", ["10.1.0.0/16", "10.0.0.0/8"]),
    ("on", "", "off", ["10.1.0.0/16", "10.0.0.0/8"]),
    ("off", "on", "on", ["10.0.0.0/8 10.1.0.0/16", "10.0.0.0/8"]),
  ])
  func aSharedPrefixHasTwoOwnersWithBabel(
    interface: String, one: String, two: String, expected: [String]
  ) throws {
    func babel(_ text: String) -> String { text.isEmpty ? "" : "Babel = \(text)\n" }
    let file = try parse(
      """
      [Interface]
      Babel = \(interface)
      [Peer]
      PublicKey = \(Self.first)
      AllowedIPs = 10.0.0.0/8, 10.1.0.0/16
      \(babel(one))
      [Peer]
      PublicKey = \(Self.second)
      \(babel(two))
      AllowedIPs = 10.0.0.0/8
      """)
    #expect(prefixes(file.configuration) == expected)
    #expect(file.warnings.count == (expected[0].hasPrefix("10.0") ? 0 : 1))
  }

  @Test func ourOwnKeyIsLeftOut() throws {
    let file = try parse("[Peer]\nPublicKey = \(Self.own)\n[Interface]\nPrivateKey = \(Self.secret)")
    #expect(file.configuration.peers.isEmpty)
    #expect(file.warnings.map(\.line) == [1])
  }

  @Test func hostBitsAreClearedWithAWarning() throws {
    let file = try parse("[Peer]\nPublicKey = \(Self.first)\nAllowedIPs = 10.0.0.1/32, 10.192.124.1/24")
    #expect(prefixes(file.configuration) == ["10.0.0.1/32 10.192.124.0/24"])
    #expect(
      file.warnings.map(\.description) == [
        "wg0.conf:3:27: warning: `10.192.124.1/24` has bits beyond its length; 10.192.124.0/24 is used"
      ])
  }

  // MARK: what is refused

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
    ("Transit = fast", "`fast` is not a way of transit; write `process`, `kernel` or `off`"),
    ("RPF = loose", "`loose` is not a source check; write `anchored`, `covering`, `strict` or `off`"),
    ("Announce = 1.2.3.4/x", "`1.2.3.4/x` is not a prefix; write one like 10.0.0.0/24 or fd00::/64"),
    ("Announce =", "a prefix is missing here; write one like 10.0.0.0/24 or fd00::/64"),
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

  // MARK: writing

  private static let everything = """
    [Interface]
    PrivateKey = \(secret)
    ListenPort = 51820
    FwMark = 0xca6c
    Address = 10.44.0.1/24
    Address = fd00::1/64
    DNS = 1.1.1.1
    MTU = 1380
    Table = off
    SaveConfig = false
    PreUp = a
    PostUp = b
    PostUp = c
    PreDown = d
    PostDown = e
    #meshd: Babel = on
    #meshd: Transit = off
    #meshd: RPF = covering
    #meshd: Announce = 192.168.1.0/24

    [Peer]
    PublicKey = \(first)
    PresharedKey = \(psk)
    AllowedIPs = 10.0.0.2/32, fd00::2/128
    Endpoint = host.example:1
    Endpoint = [fe80::1%eth0]:9
    PersistentKeepalive = 25
    #meshd: Babel = off
    #meshd: BabelKey = hmac-sha256 00112233
    #meshd: Accept = 10.0.0.0/8
    #meshd: Accept = fd00::/8

    [Peer]
    PublicKey = \(second)
    #meshd: Accept = none

    """

  @Test func whatIsSavedIsWhatWasRead() throws {
    #expect(try parse(Self.everything).text == Self.everything)
    #expect(ConfigurationFile(Configuration()).text == "[Interface]\n")
  }

  @Test func theAnswerOfADaemonCarriesTheWholeFile() throws {
    let file = try parse(Self.everything)
    let lines = try UAPIAnswer(UAPIResponse.configuration(file.configuration)).configuration
    var saved = try parse(lines.joined(separator: "\n"))
    (saved.dns, saved.saveConfig) = (file.dns, file.saveConfig)
    #expect(saved.text == Self.everything)
  }

  @Test func strippedIsWhatStockToolsUnderstand() {
    let stripped = ConfigurationFile.strip(
      """
        # a comment
      [Interface]
      Address = 10.0.0.1/24
      \tPrivateKey = x   # key
      Announce = 10.0.0.0/8
      #meshd: Babel = on
      PostUp = y

      [Peer]
      Endpoint = 1.2.3.4:5, h:6
      Accept = none

      """)
    #expect(
      stripped == """
        # a comment
        [Interface]
        PrivateKey = x   # key
        #meshd: Babel = on

        [Peer]
        Endpoint = 1.2.3.4:5
        Endpoint = h:6


        """)
  }

  // MARK: hostile input

  @Test func anyTextEndsInAValueOrAnError() {
    var generator = SplitMix64(seed: 0x6D65_7368)
    let pieces = [
      "[Interface]", "[Peer]", "\n", "=", ",", "#meshd:", "#", " ", "\r", "\0", "é", "\u{1F30D}", "[", "]",
      ":", "%", "/",
      "PublicKey", "Endpoint", "AllowedIPs", "Accept", "Address", "Table", "MTU", Self.first, Self.secret,
      "10.0.0.0/8",
      "fe80::1", "99999999999999999999", "0x", "-", "none",
    ]
    for _ in 0..<5000 {
      let count = Int.random(in: 0..<24, using: &generator)
      let text = (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] }.joined()
      _ = try? parse(text)
      _ = try? UAPIRequest("set=1\npublic_key=" + text)
      _ = try? UAPIAnswer(text)
      _ = ConfigurationFile.strip(text)
    }
  }
}
