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
        table.forEach { prefix, route in if route.target == .peer(peer) { owned.append(prefix) } }
        for prefix in owned { table.remove(prefix) }
      case "eq":
        #expect(table.target(for: try #require(IPAddress(fields[2]))) == .peer(peer), "\(line)")
        lookups += 1
      case "ne":
        #expect(table.target(for: try #require(IPAddress(fields[2]))) != .peer(peer), "\(line)")
        lookups += 1
      default:
        Issue.record("unknown operation: \(line)")
      }
    }
    #expect(lookups == 45)
  }

  @Test(arguments: [AddressFamily.v4, .v6], [1, 2, 3, 4] as [UInt64])
  func agreesWithALinearScan(family: AddressFamily, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var table = AllowedIPs()
    var model: [IPPrefix: Route] = [:]
    for step in 0..<800 {
      let prefix = Self.randomPrefix(family, using: &random)
      if random.next() % 3 == 0 {
        // Half of the removals hit something.
        let victim = step % 2 == 0 ? model.keys.min { $0 < $1 } ?? prefix : prefix
        let wasThere = model.removeValue(forKey: victim) != nil
        let removed = table.remove(victim)
        #expect(removed == wasThere, "seed \(seed)")
      } else {
        let route = Self.randomRoute(using: &random)
        table[prefix] = route
        model[prefix] = route
      }
      for _ in 0..<3 {
        let address = Self.randomAddress(family, using: &random)
        let best = model.filter { $0.key.contains(address) }.max { $0.key.length < $1.key.length }
        let found = table.lookup(address)
        #expect(found?.length == best.map { Int($0.key.length) }, "seed \(seed) step \(step) \(address)")
        #expect(found?.route == best?.value, "seed \(seed) step \(step) \(address)")
      }
      #expect(table.count == model.count)
    }
    var listed: [IPPrefix] = []
    table.forEach { prefix, route in
      listed.append(prefix)
      #expect(model[prefix] == route)
    }
    #expect(listed == model.keys.sorted())
    for prefix in listed { table[prefix] = nil }
    #expect(table.count == 0)
    #expect(table.target(for: .v4(.any)) == .none && table.target(for: .v6(.any)) == .none)
  }

  @Test func aCopyIsNotChangedByItsOriginal() throws {
    let prefix = try #require(IPPrefix("10.0.0.0/8"))
    let address = try #require(IPAddress("10.1.2.3"))
    var table = AllowedIPs()
    table[prefix] = Route(owner: Self.peer(1))
    let published = table
    table[prefix] = Route(owner: Self.peer(2))
    #expect(published.target(for: address) == .peer(Self.peer(1)))
    #expect(table.target(for: address) == .peer(Self.peer(2)))
  }

  @Test func aHeldPrefixHidesTheShorterOne() throws {
    var table = AllowedIPs()
    let held = try #require(IPPrefix("10.1.0.0/16"))
    let address = try #require(IPAddress("10.1.2.3"))
    table[.defaultIPv4] = Route(owner: Self.peer(1))
    for route in [
      Route(.unreachable), Route(.none, sources: [Self.peer(3)]), Route(.none, owners: [Self.peer(70)]),
    ] {
      table[held] = route
      #expect(table.target(for: address) == .unreachable)
    }
    table[held] = Route(.none)
    #expect(table[held] == nil)
    #expect(table.target(for: address) == .peer(Self.peer(1)))
  }

  @Test func defaultRoutesOfBothFamiliesStandApart() throws {
    var table = AllowedIPs()
    table[.defaultIPv4] = Route(owner: Self.peer(4))
    table[.defaultIPv6] = Route(owner: Self.peer(6))
    #expect(table.target(for: try #require(IPAddress("255.255.255.255"))) == .peer(Self.peer(4)))
    #expect(table.target(for: try #require(IPAddress("ffff::1"))) == .peer(Self.peer(6)))
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
      #expect(table.target(for: prefixes[id].address) == .peer(Self.peer(UInt32(id))))
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
      switch random.next() % 4 {
      case 0: .local
      case 1: .unreachable
      default: .peer(peer(UInt32(random.next() % 130)))
      }
    return Route(target, owners: peers(), sources: peers())
  }
}
