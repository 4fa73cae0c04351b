import Mesh
import Net
import Testing

/// What the host uses of what the mesh knows.
@Suite struct HostRoutePlanTests {
  private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

  private func place(_ plan: HostRoutePlan, _ text: String) throws -> HostRoutePlan.Place {
    plan.place(of: try prefix(text))
  }

  @Test func networkOnALinkAndItsPartsAreLeftAlone() throws {
    var plan = HostRoutePlan()
    plan.onLink = [(try prefix("192.168.1.0/24"), "eth0"), (try prefix("fd01::/64"), "eth1")]
    #expect(try place(plan, "192.168.1.0/24") == .nowhere(.onLink("eth0")))
    #expect(try place(plan, "192.168.1.7/32") == .nowhere(.onLink("eth0")))
    #expect(try place(plan, "fd01::/64") == .nowhere(.onLink("eth1")))
    // A wider one is no harm: the kernel prefers the longer.
    #expect(try place(plan, "192.168.0.0/16") == .shared)
    #expect(try place(plan, "192.168.2.0/24") == .shared)
  }

  @Test func prefixWithAnEndpointInItIsKeptFromOurOwnPackets() throws {
    var plan = HostRoutePlan()
    plan.hasUnmarkedTable = true
    plan.underlay = ["10.0.0.1", "192.0.2.9", "203.0.113.5", "2001:db8::1"].compactMap { IPAddress($0) }
      .sorted()
    for text in ["203.0.113.0/24", "203.0.113.5/32", "192.0.0.0/8", "2001:db8::/32", "10.0.0.0/31"] {
      #expect(try place(plan, text) == .unmarked, "\(text)")
    }
    for text in ["203.0.114.0/24", "203.0.113.4/32", "192.0.2.10/31", "2001:db9::/32", "9.0.0.0/8"] {
      #expect(try place(plan, text) == .shared, "\(text)")
    }
    #expect(try place(plan, "0.0.0.0/0") == .unmarked)
    #expect(try place(plan, "::/0") == .unmarked)
    plan.hasUnmarkedTable = false
    #expect(try place(plan, "203.0.113.0/24") == .shared)
  }

  @Test func routeForOurOwnSourcesMustNotLeadToAnEndpoint() throws {
    var plan = HostRoutePlan()
    plan.hasUnmarkedTable = true
    plan.onLink = [(try prefix("10.200.1.0/24"), "eth0")]
    plan.underlay = ["203.0.113.5"].compactMap { IPAddress($0) }
    func obstacle(_ destination: String, _ source: String) throws -> HostRoutePlan.Obstacle? {
      plan.obstacle(to: HostPrefix(try prefix(destination), from: try prefix(source)))
    }
    #expect(try obstacle("0.0.0.0/0", "10.0.0.0/8") == .ownPackets)
    #expect(try obstacle("203.0.113.0/24", "10.200.1.0/28") == .ownPackets)
    #expect(try obstacle("203.0.113.0/24", "10.44.0.0/16") == nil)
    #expect(try obstacle("198.51.100.0/24", "10.0.0.0/8") == nil)
    #expect(try obstacle("10.200.1.128/25", "10.44.0.0/16") == .onLink("eth0"))
  }

  @Test func agreesWithLookingAtEveryEndpoint() throws {
    var random = SplitMix64(seed: 11)
    var plan = HostRoutePlan()
    plan.hasUnmarkedTable = true
    plan.underlay = (0..<200).map { _ in
      .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: random.next())))
    }.sorted()
    for _ in 0..<2000 {
      let address = IPAddress.v4(IPv4Address(bits: UInt32(truncatingIfNeeded: random.next())))
      let prefix = try #require(IPPrefix(address, length: 1 + Int(random.next() % 16)))
      let isCovering = plan.underlay.contains { prefix.contains($0) }
      #expect(plan.place(of: prefix) == (isCovering ? .unmarked : .shared), "\(prefix)")
    }
  }
}
