import Foundation
import Mesh
import Net
import Testing

@Suite struct AllowedIPsTests {
  private static func peer(_ id: UInt32) -> PeerID { PeerID(rawValue: id) }

  @Test func theTableOfTheKernelSelftestHolds() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Vectors/allowedips.tsv")
    var table = AllowedIPs()
    var lookups = 0
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t")
      let peer = Self.peer(UInt32(fields[3].utf8.first ?? 0))
      switch fields[0] {
      case "clear":
        table = AllowedIPs()
      case "insert":
        table[try #require(IPPrefix(fields[2]))] = Route(owner: peer)
      case "remove":
        let prefix = try #require(IPPrefix(fields[2]))
        if table[prefix]?.target == .peer(peer) { table.remove(prefix) }
      case "remove-peer":
        var owned: [IPPrefix] = []
        table.forEach { prefix, _, route in if route.target == .peer(peer) { owned.append(prefix) } }
        for prefix in owned { table.remove(prefix) }
      case "eq":
        #expect(Self.target(of: table, String(fields[2])) == .peer(peer), "\(line)")
        lookups += 1
      case "ne":
        #expect(Self.target(of: table, String(fields[2])) != .peer(peer), "\(line)")
        lookups += 1
      default:
        Issue.record("unknown operation: \(line)")
      }
    }
    #expect(lookups == 45)
  }

  private struct Key: Hashable, Comparable {
    var prefix: IPPrefix
    var source: IPPrefix?

    static func < (lhs: Key, rhs: Key) -> Bool {
      guard lhs.prefix == rhs.prefix else { return lhs.prefix < rhs.prefix }
      guard let mine = lhs.source, let other = rhs.source else {
        return lhs.source == nil && rhs.source != nil
      }
      return mine < other
    }
  }

  /// What RFC 9079 §4 says, route by route.
  private static func target(
    in model: [Key: Route], _ destination: IPAddress, _ source: IPAddress
  ) -> Route.Target {
    let matching = model.filter { key, route in
      route.target != .none && key.prefix.contains(destination) && key.source?.contains(source) != false
    }
    func rank(_ key: Key) -> (UInt8, UInt8) { (key.prefix.length, key.source?.length ?? 0) }
    return matching.max { rank($0.key) < rank($1.key) }?.value.target ?? .none
  }

  @Test(arguments: [AddressFamily.v4, .v6], [1, 2, 3, 4, 5, 6] as [UInt64])
  func agreesWithALinearScan(family: AddressFamily, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var table = AllowedIPs()
    var model: [Key: Route] = [:]
    for step in 0..<800 {
      // Odd seeds do without sources.
      let isSpecific = seed % 2 == 0 && random.next() % 2 == 0
      var key = Key(prefix: Self.randomPrefix(family, using: &random))
      if isSpecific {
        let source = Self.randomPrefix(family, using: &random)
        if !source.isDefault { key.source = source }
        // Several sources of one prefix.
        if let other = model.keys.min(), step % 3 == 0 { key.prefix = other.prefix }
      }
      if random.next() % 3 == 0 {
        // Half of the removals hit something.
        let victim = step % 2 == 0 ? model.keys.min() ?? key : key
        let wasThere = model.removeValue(forKey: victim) != nil
        let removed = table.remove(victim.prefix, from: victim.source)
        #expect(removed == wasThere, "seed \(seed)")
      } else {
        let route = Self.randomRoute(using: &random)
        table[key.prefix, from: key.source] = route
        model[key] = route.isEmpty ? nil : route
      }
      #expect(table[key.prefix, from: key.source] == model[key], "seed \(seed) step \(step)")
      for _ in 0..<3 {
        let address = Self.randomAddress(family, using: &random)
        let source = Self.randomAddress(family, using: &random)
        let target = Self.target(in: model, address, source)
        #expect(table.target(for: address, from: source) == target, "seed \(seed) step \(step) \(address)")
        let longest = model.keys.map(\.prefix).filter { $0.contains(address) }.max { $0.length < $1.length }
        let found = table.lookup(address)
        #expect(found?.length == longest.map { Int($0.length) }, "seed \(seed) step \(step) \(address)")
        let route = longest.map { model[Key(prefix: $0)] ?? Route(.none) }
        #expect(found?.route == route, "seed \(seed) step \(step) \(address)")
      }
      #expect(table.count == model.count)
      if step % 32 == 0 {
        let (address, source) = (
          Self.randomAddress(family, using: &random), Self.randomAddress(family, using: &random)
        )
        let found = table.lookup(address, from: source)
        #expect((found?.route.target ?? .none) == Self.target(in: model, address, source), "seed \(seed)")
        #expect(found?.prefix.contains(address) ?? true && found?.source?.contains(source) ?? true)
      }
    }
    var listed: [Key] = []
    table.forEach { prefix, source, route in
      listed.append(Key(prefix: prefix, source: source))
      #expect(model[Key(prefix: prefix, source: source)] == route)
    }
    #expect(listed == model.keys.sorted())
    for key in listed { table[key.prefix, from: key.source] = nil }
    #expect(table.count == 0)
    for anywhere in ["0.0.0.0", "::"] { #expect(Self.target(of: table, anywhere) == Route.Target.none) }
  }

  private static func target(of table: AllowedIPs, _ destination: String, from source: String? = nil)
    -> Route.Target?
  {
    guard let to = IPAddress(destination), let from = IPAddress(source ?? destination) else { return nil }
    return table.target(for: to, from: from)
  }

  @Test func theDestinationCountsBeforeTheSource() throws {
    var table = AllowedIPs()
    func set(_ prefix: String, from source: String? = nil, _ target: Route.Target) throws {
      table[try #require(IPPrefix(prefix)), from: try source.map { try #require(IPPrefix($0)) }] = Route(
        target)
    }
    func goes(_ destination: String, from source: String) -> Route.Target? {
      Self.target(of: table, destination, from: source)
    }
    let peers = (0..<8).map { Route.Target.peer(Self.peer($0)) }
    try set("::/0", peers[0])
    try set("::/0", from: "fd01::/16", peers[1])
    try set("::/0", from: "fd01:1::/32", peers[2])
    try set("2001:db8::/32", from: "fd02::/16", peers[3])
    try set("2001:db8:1::/48", peers[4])
    #expect(goes("2001::1", from: "fd09::1") == peers[0])
    #expect(goes("2001::1", from: "fd01::1") == peers[1])
    #expect(goes("2001::1", from: "fd01:1::1") == peers[2])
    // A longer destination comes before a longer source, but only if the source fits.
    #expect(goes("2001:db8::1", from: "fd02::1") == peers[3])
    #expect(goes("2001:db8::1", from: "fd01:1::1") == peers[2])
    #expect(goes("2001:db8::1", from: "fd09::1") == peers[0])
    #expect(goes("2001:db8:1::1", from: "fd02::1") == peers[4])
    // Held for one source only; without target at all.
    try set("2001:db8:1::/48", from: "fd02::/16", .unreachable)
    #expect(goes("2001:db8:1::1", from: "fd02::1") == .unreachable)
    #expect(goes("2001:db8:1::1", from: "fd03::1") == peers[4])
    let held = try #require(IPPrefix("2001:db8:1::/48"))
    table[held, from: IPPrefix("fd02::/16")] = Route(.none, sources: [Self.peer(1)])
    #expect(goes("2001:db8:1::1", from: "fd02::1") == peers[4])
    // Every source is no source at all.
    table[.defaultIPv6, from: .defaultIPv6] = Route(peers[7])
    #expect(table[.defaultIPv6] == Route(peers[7]) && table.count == 6)
  }

  @Test func aCopyIsNotChangedByItsOriginal() throws {
    let prefix = try #require(IPPrefix("10.0.0.0/8"))
    var table = AllowedIPs()
    table[prefix] = Route(owner: Self.peer(1))
    let published = table
    table[prefix] = Route(owner: Self.peer(2))
    #expect(Self.target(of: published, "10.1.2.3") == .peer(Self.peer(1)))
    #expect(Self.target(of: table, "10.1.2.3") == .peer(Self.peer(2)))
  }

  @Test func aHeldPrefixHidesTheShorterOne() throws {
    var table = AllowedIPs()
    let held = try #require(IPPrefix("10.1.0.0/16"))
    table[.defaultIPv4] = Route(owner: Self.peer(1))
    table[held] = Route(.unreachable, sources: [Self.peer(3)])
    #expect(Self.target(of: table, "10.1.2.3") == .unreachable)
    table[held] = nil
    #expect(Self.target(of: table, "10.1.2.3") == .peer(Self.peer(1)))
  }

  @Test func aPrefixWithoutTargetIsPassedOver() throws {
    var table = AllowedIPs()
    let known = try #require(IPPrefix("10.1.0.0/16"))
    for route in [Route(.none, sources: [Self.peer(3)]), Route(.none, owners: [Self.peer(70)])] {
      table[known] = route
      #expect(Self.target(of: table, "10.1.2.3") == Route.Target.none)
      #expect(table[known] == route && table.lookup(known.address)?.route == route)
    }
    table[.defaultIPv4] = Route(owner: Self.peer(1))
    #expect(Self.target(of: table, "10.1.2.3") == .peer(Self.peer(1)))
    table[known] = Route(.none)
    #expect(table[known] == nil && table.count == 1)
  }

  @Test func defaultRoutesOfBothFamiliesStandApart() throws {
    var table = AllowedIPs()
    table[.defaultIPv4] = Route(owner: Self.peer(4))
    table[.defaultIPv6] = Route(owner: Self.peer(6))
    #expect(Self.target(of: table, "255.255.255.255") == .peer(Self.peer(4)))
    #expect(Self.target(of: table, "ffff::1") == .peer(Self.peer(6)))
    #expect(table.count == 2)
  }

  @Test func holdsAHundredThousandPrefixes() {
    var random = SplitMix64(seed: 5)
    var table = AllowedIPs()
    var prefixes: [IPPrefix] = []
    for id in 0..<100_000 as Range<UInt32> {
      let address = IPAddress.v6(IPv6Address(high: 0xFD00 << 48 | random.next() >> 16, low: UInt64(id)))
      let prefix = IPPrefix(host: address)
      prefixes.append(prefix)
      table[prefix] = Route(owner: Self.peer(id))
    }
    #expect(table.count == 100_000)
    for id in stride(from: 0, to: prefixes.count, by: 97) {
      let address = prefixes[id].address
      #expect(table.target(for: address, from: address) == .peer(Self.peer(UInt32(id))))
    }
  }

  // Few distinct bits, so that prefixes nest and part everywhere.
  private static func randomAddress(
    _ family: AddressFamily, using random: inout SplitMix64
  ) -> IPAddress {
    func sparse(_ bits: UInt64) -> UInt64 { bits & 0xC000_3000_0400_8003 }
    switch family {
    case .v4: return .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: random.next()) & 0xC030_8041))
    case .v6: return .v6(IPv6Address(high: sparse(random.next()), low: sparse(random.next())))
    }
  }

  private static func randomPrefix(_ family: AddressFamily, using random: inout SplitMix64) -> IPPrefix {
    let length = Int(random.next() % UInt64(family.bitWidth + 1))
    return IPPrefix(randomAddress(family, using: &random), length: length) ?? .defaultIPv4
  }

  private static func randomRoute(using random: inout SplitMix64) -> Route {
    func peers() -> PeerSet {
      PeerSet((0..<random.next() % 3).map { _ in peer(UInt32(random.next() % 130)) })
    }
    let target: Route.Target =
      switch random.next() % 5 {
      case 0: .local
      case 1: .unreachable
      case 2: .none
      default: .peer(peer(UInt32(random.next() % 130)))
      }
    return Route(target, owners: peers(), sources: peers())
  }
}
