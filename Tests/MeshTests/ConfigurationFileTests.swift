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
      Adjacencies = all
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
    #expect(interface.sourceCheck == .strict && interface.adjacencies == nil)
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
    #meshd: Adjacencies = 8
    #meshd: RPF = covering
    #meshd: MonitorSocket = on
    #meshd: MonitorSocket = /run/babel
    #meshd: MonitorSocket = 33123
    #meshd: Announce = 192.168.1.0/24
    #meshd: Announce = 0.0.0.0/0 from 10.44.9.0/24 metric 20
    #meshd: Announce = connected
    #meshd: Announce = kernel static
    #meshd: Filter = in ip 10.0.0.0/8 le 24 deny
    #meshd: Filter = redistribute ip 192.168.0.0/16 local metric 5
    #meshd: Check = 192.168.1.0/24 ping 192.168.1.1 every 10s fail 3
    #meshd: Check = 192.168.1.0/24 http 192.168.1.2:8080/health every 500ms fail 2 pass 5

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
    #meshd: Filter = out ip fd00::/8 metric 100

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
    let lines = try UAPIAnswer(UAPIResponse.configuration(file.configuration)).textLines
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
      "fe80::1", "99999999999999999999", "0x", "-", "none", "Filter", "Announce", "Check", "in",
      "redistribute",
      "kernel", "from", "ping", "every", "metric", "deny", "[Interface]\nFilter = in ",
      "\nCheck = 10.0.0.0/8 ",
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
