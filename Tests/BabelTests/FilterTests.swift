import Net
import Testing

@testable import Babel

/// The rules themselves: reading, printing, matching.
@Suite struct FilterTests {
  static func rule(_ text: String) throws -> FilterRule {
    try FilterRule(parsing: text.split(separator: " "))
  }

  static func candidate(
    _ prefix: String, source: String? = nil, neighbour: Int? = nil, routerID: RouterID? = nil,
    origin: FilterCandidate.Origin? = nil, interface: String? = nil
  ) -> FilterCandidate {
    FilterCandidate(
      .test(prefix), source: source.map { .test($0) }, neighbour: neighbour.map(Station.address),
      routerID: routerID, origin: origin, interface: interface)
  }

  @Test(arguments: [
    "in allow", "in deny", "in metric 128", "out ip 10.0.0.0/8 deny", "in ip 10.0.0.0/8 ge 16 le 24 metric 1",
    "in ip fd00::/8 eq 64 allow", "in src-ip 2001:db8::/32 src-ge 48 deny", "out src-eq 0 allow",
    "in neigh fe80::1 id 02:11:22:ff:fe:33:44:55 deny", "redistribute local deny",
    "redistribute ip 10.0.0.0/8 proto static if eth0 metric 65534", "redistribute proto 77 allow",
  ])
  func ruleIsPrintedAsItIsRead(text: String) throws {
    let rule = try Self.rule(text)
    #expect("\(rule)" == text)
    #expect(try Self.rule("\(rule)") == rule)
  }

  @Test func ruleWithoutActionAllowsAndSelectorsHaveNoOrder() throws {
    #expect(try Self.rule("in ip 10.0.0.0/8") == Self.rule("in ip 10.0.0.0/8 allow"))
    #expect(
      try Self.rule("in deny le 24 ge 16 ip 10.0.0.0/8") == Self.rule("in ip 10.0.0.0/8 ge 16 le 24 deny"))
    #expect(try Self.rule("in ge 8 ge 16 eq 24") == Self.rule("in eq 24"))
  }

  @Test(arguments: [
    ("", 0, "begin it with"), ("inn deny", 0, "begin it with"), ("in", -1, ""),
    ("in ip", 2, "write one like"), ("in ip 10.0.0.0/33 deny", 2, "write one like"),
    ("in eq 129", 2, "0 to 128"), ("in eq +4", 2, "0 to 128"), ("in ge 24 le 16", 4, "take one"),
    ("in ip 10.0.0.0/8 ge 33", 5, "up to 32"), ("in ip 10.0.0.0/8 src-ip fd00::/8", 5, "both"),
    ("in ip ::/0 ip ::/0", 3, "take one"), ("in allow deny", 2, "only one"), ("in metric 0", 2, "1 to 65534"),
    ("in metric 65535", 2, "1 to 65534"), ("in neigh 10.0.0.1", 2, "link-local"), ("in id 01:02", 2, "eight"),
    ("in id 00:00:00:00:00:00:00:00", 2, "eight"), ("in proto 4", 1, "redistribute"),
    ("out local", 1, "redistribute"), ("in if eth0", 1, "[Peer]"), ("redistribute neigh fe80::1", 1, "in"),
    ("redistribute id 02:11:22:ff:fe:33:44:55", 1, "in"), ("redistribute proto nobody", 2, "static"),
    ("redistribute proto babel", 2, "Announce"), ("redistribute local proto 4", 3, "each"),
    ("redistribute if abcdefghijklmnop", 2, "15"), ("in frob", 1, "selector"),
  ])
  func mistakeIsFoundAtItsWord(text: String, word: Int, hint: String) {
    do throws(FilterSyntaxError) {
      _ = try FilterRule(parsing: text.split(separator: " "))
      #expect(word == -1, "\(text) was accepted")
    } catch {
      #expect(error.word == word, "\(text): \(error.message)")
      #expect(
        error.hint.contains(hint) || error.message.contains(hint), "\(text): \(error.message); \(error.hint)")
    }
  }

  @Test func prefixSelectsByContainmentAndLength() throws {
    let rule = try Self.rule("in ip 10.0.0.0/8 ge 16 le 24")
    for (prefix, expected) in [
      ("10.1.0.0/16", true), ("10.1.2.0/24", true), ("10.0.0.0/8", false), ("10.1.2.3/32", false),
      ("11.1.0.0/16", false), ("::/0", false),
    ] {
      #expect(rule.matches(Self.candidate(prefix)) == expected, "\(prefix)")
    }
    // An exact prefix and a shorter one: the default route is in no other prefix.
    let exact = try Self.rule("in ip 0.0.0.0/0 eq 0")
    #expect(exact.matches(Self.candidate("0.0.0.0/0")))
    #expect(!exact.matches(Self.candidate("10.0.0.0/8")))
    #expect(!exact.matches(Self.candidate("::/0")))
  }

  @Test func sourceSelectsRoutesFromAnywhereAsThoseFromTheDefault() throws {
    let within = try Self.rule("in src-ip 2001:db8::/32")
    #expect(within.matches(Self.candidate("::/0", source: "2001:db8:1::/48")))
    #expect(!within.matches(Self.candidate("::/0")))
    #expect(!within.matches(Self.candidate("0.0.0.0/0")))
    let any = try Self.rule("in src-ip ::/0")
    #expect(any.matches(Self.candidate("::/0")))
    #expect(any.matches(Self.candidate("::/0", source: "2001:db8:1::/48")))
    let specific = try Self.rule("in src-ge 1 src-le 48")
    #expect(!specific.matches(Self.candidate("::/0")))
    #expect(specific.matches(Self.candidate("::/0", source: "2001:db8:1::/48")))
    #expect(!specific.matches(Self.candidate("::/0", source: "2001:db8:1:1::/64")))
    #expect(try Self.rule("in src-eq 0").matches(Self.candidate("10.0.0.0/8")))
  }

  @Test func neighbourAndOriginatorAreCompared() throws {
    let neighbour = try Self.rule("in neigh \(Station.address(1))")
    #expect(neighbour.matches(Self.candidate("::/0", neighbour: 1)))
    #expect(!neighbour.matches(Self.candidate("::/0", neighbour: 2)))
    #expect(!neighbour.matches(Self.candidate("::/0")))
    let id = try Self.rule("out id \(Station.origin)")
    #expect(id.matches(Self.candidate("::/0", routerID: Station.origin)))
    #expect(!id.matches(Self.candidate("::/0", routerID: Station.other)))
  }

  @Test func ruleWithoutProtocolMeansNeitherLocalAddressesNorBootRoutes() throws {
    let any = try Self.rule("redistribute ip 10.0.0.0/8")
    let kernelRoute = FilterCandidate.Origin.kernel(.kernel)
    #expect(any.matches(Self.candidate("10.0.0.0/8", origin: kernelRoute)))
    #expect(!any.matches(Self.candidate("10.0.0.0/8", origin: .kernel(.boot))))
    #expect(!any.matches(Self.candidate("10.0.0.1/32", origin: .local)))
    #expect(try Self.rule("redistribute proto boot").matches(Self.candidate("::/0", origin: .kernel(.boot))))
    #expect(try Self.rule("redistribute local").matches(Self.candidate("10.0.0.1/32", origin: .local)))
    let interface = try Self.rule("redistribute if eth0")
    #expect(interface.matches(Self.candidate("::/0", origin: kernelRoute, interface: "eth0")))
    #expect(!interface.matches(Self.candidate("::/0", origin: kernelRoute, interface: "eth1")))
  }

  @Test func firstMatchDecidesAndTheDefaultDependsOnTheDirection() throws {
    let rules = try [
      "in ip 10.1.0.0/16 metric 50", "in ip 10.0.0.0/8 deny", "out ip 10.1.0.0/16 deny",
      "redistribute ip 10.1.0.0/16 metric 7", "redistribute ip 10.2.0.0/16",
    ].map(Self.rule)
    func metric(_ direction: FilterRule.Direction, _ prefix: String) -> Metric? {
      Filter(direction, of: rules).metric(for: Self.candidate(prefix))
    }
    #expect(metric(.in, "10.1.2.0/24") == Metric(50))
    #expect(metric(.in, "10.2.0.0/16") == nil)
    #expect(metric(.in, "192.0.2.0/24") == .zero)
    #expect(metric(.out, "10.1.0.0/16") == nil)
    #expect(metric(.out, "10.2.0.0/16") == .zero)
    #expect(metric(.redistribute, "10.1.0.0/16") == Metric(7))
    #expect(metric(.redistribute, "10.2.0.0/16") == .zero)
    #expect(metric(.redistribute, "10.3.0.0/16") == nil)
  }

  @Test(arguments: [
    (["out deny"], true), (["out ip 10.0.0.0/8 deny"], true), (["out ip 11.0.0.0/8 deny"], false),
    ([], false),
    (["out id 00:00:00:00:00:00:cc:cc allow", "out deny"], false),
    (["out id 00:00:00:00:00:00:cc:cc deny"], false),
    (["out id 00:00:00:00:00:00:cc:cc deny", "out deny"], true), (["out allow", "out deny"], false),
  ])
  func denialThatDependsOnNoOriginatorIsKnown(lines: [String], expected: Bool) throws {
    let filter = Filter(.out, of: try lines.map(Self.rule))
    #expect(filter.deniesAnyOriginator(of: Self.candidate("10.1.0.0/16")) == expected)
  }

  @Test func protocolsHaveNamesAndNumbers() {
    #expect(KernelProtocol("static") == KernelProtocol(4))
    #expect(KernelProtocol("42") == .babel)
    #expect(KernelProtocol(4)?.description == "static")
    #expect(KernelProtocol(77)?.description == "77")
    for text in ["0", "256", "+4", "", "Static"] { #expect(KernelProtocol(text) == nil, "\(text)") }
  }
}
