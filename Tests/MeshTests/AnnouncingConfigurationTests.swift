import Babel
import Mesh
import Net
import Testing

/// `Announce`, `Filter` and `Check` in a configuration file.
@Suite struct AnnouncingConfigurationTests {
  private static let key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="

  private func parse(_ lines: String) throws(ConfigurationError) -> ConfigurationFile {
    try ConfigurationFile(parsing: "[Interface]\n" + lines, name: "wg0.conf")
  }

  private func interface(_ lines: String) throws -> Configuration.Interface {
    try parse(lines).configuration.interface
  }

  // MARK: Announce

  @Test func prefixMayHaveASourceAndAMetric() throws {
    let interface = try interface(
      """
      Announce = 192.168.1.0/24 metric 10, ::/0 from 2001:db8::/48, 0.0.0.0/0 metric 5 FROM 10.1.0.0/16
      Announce = 10.0.0.0/8 from 0.0.0.0/0
      """)
    #expect(
      interface.announce.map(\.description) == [
        "192.168.1.0/24 metric 10", "::/0 from 2001:db8::/48", "0.0.0.0/0 from 10.1.0.0/16 metric 5",
        "10.0.0.0/8",
      ])
  }

  @Test func kernelRoutesAreNamedByTheirMakers() throws {
    let interface = try interface(
      "Announce = Connected, kernel static 12\nAnnounce = kernel bird ospf, connected")
    #expect(interface.redistribute.map(\.description) == ["kernel", "static", "bird", "ospf"])
    #expect(interface.announce == [])
  }

  @Test(arguments: [
    ("Announce = fe80::/64", "2:12: no node may announce fe80::/64; leave it out"),
    (
      "Announce = 10.0.0.0/8 to x", "2:23: `to` is not expected here; write `PREFIX [from SOURCE] [metric N]`"
    ),
    (
      "Announce = 10.0.0.0/8 from",
      "2:23: a prefix is missing after `from`; write the prefix that the packets come from"
    ),
    (
      "Announce = 10.0.0.0/8 from fd00::/8",
      "2:28: fd00::/8 and 10.0.0.0/8 are of different families; write both as IPv4 or both as IPv6"
    ),
    ("Announce = 10.0.0.0/8 metric 65535", "2:30: `65535` is not a metric; write a number from 0 to 65534"),
    ("Announce = 10.0.0.0/8 metric", "2:23: `metric` is not a metric; write a number from 0 to 65534"),
    (
      "Announce = 10.0.0.0/8\nAnnounce = 10.0.0.0/8 metric 5",
      "3:12: 10.0.0.0/8 is announced before with another metric; take one of the two out"
    ),
    (
      "Announce = connected eth0",
      "2:22: `connected` stands alone; use `Filter = redistribute proto kernel …` to choose among the connected prefixes"
    ),
    (
      "Announce = kernel",
      "2:12: `kernel` says not whose routes; write one like `kernel static` or `kernel bird ospf`"
    ),
    (
      "Announce = kernel sttic",
      "2:19: `sttic` is not a protocol of kernel routes; write a name like `static` or `bird`, or a number from 1 to 255"
    ),
    (
      "Announce = kernel babel", "2:19: routes of a Babel daemon are never announced again; leave `babel` out"
    ),
    (
      "Filter = in ip 10.0.0.0/33",
      "2:16: `10.0.0.0/33` is not a prefix; write one like 10.0.0.0/8 or fd00::/8"
    ),
    ("Filter = in ip", "2:13: a prefix is missing after `ip`; write one like 10.0.0.0/8 or fd00::/8"),
    ("Filter =", "2:9: the rule is missing; begin it with `in`, `out` or `redistribute`"),
    (
      "Filter = in if wg0",
      "2:13: `if` has no meaning in a rule for `in`; put the rule into the [Peer] it is for"
    ),
    (
      "[Peer]\nPublicKey = \(key)\nFilter = redistribute deny",
      "4:10: nothing is redistributed from a peer; put the rule into [Interface]"
    ),
    (
      "Check = 10.0.0.0/8 ping",
      "2:9: the check is not complete; write `PREFIX ping|tcp|http TARGET every T fail N`"
    ),
    (
      "Check = 10.0.0.0/8 dig 10.0.0.1",
      "2:20: `dig` is not a kind of check; write `ping`, `tcp` or `http`"
    ),
    ("Check = 10.0.0.0/8 ping gw", "2:25: `gw` is not a target; write an address like 192.168.1.1"),
    ("Check = 10.0.0.0/8 ping fe80::1", "2:25: `fe80::1` is not a target; write an address like 192.168.1.1"),
    (
      "Check = 10.0.0.0/8 tcp 10.0.0.1",
      "2:24: `10.0.0.1` is not a target; write one like 192.168.1.1:22 or [fd00::1]:22"
    ),
    (
      "Check = 10.0.0.0/8 http example.org/",
      "2:25: `example.org/` is not a target; write one like 192.168.1.1:8080/health, with a numeric address"
    ),
    (
      "Check = 10.0.0.0/8 ping 10.0.0.1 every 50ms",
      "2:40: `50ms` is not an interval; write one like `10s`, from 100ms to 60m"
    ),
    (
      "Check = 10.0.0.0/8 ping 10.0.0.1 every 1h",
      "2:40: `1h` is not an interval; write one like `10s`, from 100ms to 60m"
    ),
    (
      "Check = 10.0.0.0/8 ping 10.0.0.1 fail 0",
      "2:39: `0` is not a number of times; write a number from 1 to 255"
    ),
    (
      "Check = 10.0.0.0/8 ping 10.0.0.1 fail 2 fail 3",
      "2:41: `fail` is not expected here; write `PREFIX ping|tcp|http TARGET every T fail N`"
    ),
    (
      "Check = 10.0.0.0/8 ping 10.0.0.1 every",
      "2:34: `every` is not expected here; write `PREFIX ping|tcp|http TARGET every T fail N`"
    ),
  ])
  func mistakeIsToldWithItsPlaceAndWhatToDo(lines: String, message: String) {
    do throws(ConfigurationError) {
      _ = try parse(lines)
      Issue.record("\(lines) was accepted")
    } catch {
      #expect(error.description == "wg0.conf:\(message)")
    }
  }

  // MARK: Filter and Check

  @Test func rulesKeepTheirOrderAndPeersHaveTheirOwn() throws {
    let configuration = try parse(
      """
      Filter = in ip 10.0.0.0/8 le 24 deny # a comment
      #meshd: Filter = out metric 10
      [Peer]
      PublicKey = \(Self.key)
      Filter = in allow
      """
    ).configuration
    #expect(
      configuration.interface.filters.map(\.description) == ["in ip 10.0.0.0/8 le 24 deny", "out metric 10"])
    #expect(configuration.peers[0].filters.map(\.description) == ["in allow"])
  }

  @Test(arguments: [
    ("10.0.0.0/8 ping 10.0.0.1", "10.0.0.0/8 ping 10.0.0.1 every 10s fail 3"),
    ("fd00::/8 ping fd00::1 fail 2 every 60s", "fd00::/8 ping fd00::1 every 60s fail 2"),
    ("10.0.0.0/8 TCP 10.0.0.1:22 every 1m", "10.0.0.0/8 tcp 10.0.0.1:22 every 60s fail 3"),
    ("10.0.0.0/8 tcp [fd00::1]:22 every 5", "10.0.0.0/8 tcp [fd00::1]:22 every 5s fail 3"),
    ("10.0.0.0/8 http 10.0.0.1", "10.0.0.0/8 http 10.0.0.1:80/ every 10s fail 3"),
    (
      "10.0.0.0/8 http http://[fd00::1]:8080/a?b=c fail 1 pass 1",
      "10.0.0.0/8 http [fd00::1]:8080/a?b=c every 10s fail 1"
    ),
    (
      "10.0.0.0/8 http [fd00::1]/ every 250ms pass 1",
      "10.0.0.0/8 http [fd00::1]:80/ every 250ms fail 3 pass 1"
    ),
  ])
  func checkIsReadWithItsDefaults(value: String, expected: String) throws {
    let check = try #require(try interface("Announce = 10.0.0.0/8, fd00::/8\nCheck = \(value)").checks.first)
    #expect(check.description == expected)
    #expect(try interface("Check = \(check)").checks == [check])
  }

  @Test func checkOfWhatNothingAnnouncesIsWarnedOf() throws {
    let check = "Check = 10.0.0.0/8 ping 10.0.0.1"
    #expect(
      try parse(check).warnings.map(\.description) == [
        "wg0.conf:2:9: warning: 10.0.0.0/8 is checked, but nothing announces it"
      ])
    for other in ["Announce = 10.0.0.0/8", "Announce = connected", "Filter = redistribute local"] {
      #expect(try parse("\(check)\n\(other)").warnings == [], "\(other)")
    }
    #expect(try parse("Address = 10.0.0.7\nCheck = 10.0.0.7 tcp 10.0.0.7:53").warnings == [])
  }

  // MARK: Redistribution

  private func announced(_ lines: String, _ routes: [FilterCandidate]) throws -> [String] {
    Redistribution(try interface(lines)).announcements(of: routes).map(\.description)
  }

  private func route(
    _ prefix: String, _ origin: String, source: String? = nil, interface: String = "eth0"
  ) throws -> FilterCandidate {
    FilterCandidate(
      try #require(IPPrefix(prefix)), source: source.flatMap { IPPrefix($0) },
      origin: origin == "local" ? .local : .kernel(try #require(KernelProtocol(origin))), interface: interface
    )
  }

  @Test func onlyWhatIsAskedForIsRedistributed() throws {
    let routes = [
      try route("10.3.0.0/16", "static"), try route("10.2.0.0/16", "kernel"),
      try route("10.1.0.0/16", "boot"),
      try route("10.4.0.0/16", "bird"), try route("10.2.0.1/32", "local"),
    ]
    #expect(try announced("Announce = 10.9.0.0/16", routes) == [])
    #expect(Redistribution(try interface("Filter = redistribute deny\nFilter = in allow")).isEmpty)
    #expect(try announced("Announce = connected", routes) == ["10.2.0.0/16"])
    #expect(try announced("Announce = kernel static boot", routes) == ["10.1.0.0/16", "10.3.0.0/16"])
    #expect(try announced("Filter = redistribute local", routes) == ["10.2.0.1/32"])
    #expect(
      try announced("Filter = redistribute ip 10.0.0.0/8 ge 16 metric 128", routes)
        == ["10.2.0.0/16 metric 128", "10.3.0.0/16 metric 128", "10.4.0.0/16 metric 128"])
  }

  @Test func rulesComeBeforeWhatAnnounceLetsIn() throws {
    let routes = [
      try route("10.1.0.0/16", "static"), try route("10.2.0.0/16", "static"),
      try route("0.0.0.0/0", "static"),
      try route("10.5.0.0/16", "static", interface: "eth1"),
    ]
    let lines = """
      Announce = kernel static
      Filter = redistribute ip 0.0.0.0/0 eq 0 deny
      Filter = redistribute if eth1 deny
      Filter = redistribute ip 10.2.0.0/16 metric 7
      """
    #expect(try announced(lines, routes) == ["10.1.0.0/16", "10.2.0.0/16 metric 7"])
  }

  @Test func babelsOwnRoutesAndMartiansNeverAre() throws {
    let routes = [
      try route("10.1.0.0/16", "42"), try route("fe80::/64", "kernel"), try route("127.0.0.1/32", "local"),
      try route("::1/128", "local"), try route("fe80::1/128", "local"), try route("224.0.0.0/4", "static"),
    ]
    #expect(try announced("Filter = redistribute\nFilter = redistribute local", routes) == [])
  }

  @Test func bestOfSeveralRoutesToAPrefixCountsAndSourcesAreKeptApart() throws {
    let routes = [
      try route("10.1.0.0/16", "bird"), try route("10.1.0.0/16", "static"), try route("::/0", "ra"),
      try route("::/0", "ra", source: "2001:db8::/48"),
    ]
    let lines =
      "Filter = redistribute proto bird metric 9\nFilter = redistribute proto static metric 3\nAnnounce = kernel ra"
    #expect(try announced(lines, routes) == ["10.1.0.0/16 metric 3", "::/0", "::/0 from 2001:db8::/48"])
  }
}
