import Babel
import Mesh
import Net
import Simulation
import Testing

/// What whole nodes announce and let in: metrics, redistributed routes, health checks, filters.
@Suite struct SimulationPolicyTests {
  private let prefix = IPPrefix.defaultIPv4.subnet

  /// The metric of the route in use for `prefix`, or of our own; `nil` without either.
  private func metric(
    _ network: SimulatedNetwork, _ host: Int, _ prefix: IPPrefix, from source: IPPrefix? = nil
  ) -> Int? {
    guard let daemon = network.hosts[host].daemon else { return nil }
    let key = RouteKey(prefix, source: source)
    let own = daemon.node.xrouteRows(at: network.now).first { RouteKey($0.prefix, source: $0.source) == key }
    if let own { return Int(own.metric) }
    let routes = daemon.node.routeRows(all: false, at: network.now)
    return routes.first { RouteKey($0.prefix, source: $0.source) == key && $0.state == .selected }.map {
      Int($0.metric)
    }
  }

  private func rules(_ lines: String...) throws -> [FilterRule] {
    try lines.map { try FilterRule(parsing: $0.split(separator: " ")) }
  }

  /// A chain of hosts at rest.
  private func chain(_ count: Int) -> SimulatedNetwork {
    let network = SimulationTests.chain(count)
    network.run(for: .seconds(3))
    return network
  }

  @Test func s4Point4AnnouncedPrefixHasItsMetricEverywhere() {
    let network = chain(3)
    network.reconfigure(0) {
      $0.interface.announce = [Configuration.Announcement(prefix, metric: Metric(50))]
    }
    network.run(for: .seconds(1))
    #expect(metric(network, 0, prefix) == 50)
    #expect(metric(network, 2, prefix) == 50 + 2 * 96)
    network.reconfigure(0) {
      $0.interface.announce = [Configuration.Announcement(prefix, metric: Metric(500))]
    }
    network.run(for: .seconds(1))
    #expect(metric(network, 2, prefix) == 500 + 2 * 96)
    network.reconfigure(0) { $0.interface.announce = [] }
    network.run(for: .seconds(1))
    #expect(metric(network, 2, prefix) == nil)
    network.expectNoLoops()
  }

  @Test func announcementWithASourceIsForPacketsFromThereAlone() throws {
    let network = chain(2)
    let source = try #require(IPPrefix("10.1.0.0/16"))
    let (inside, outside) = (source.address, try #require(IPAddress("10.2.0.0")))
    func target(_ host: Int, from source: IPAddress) -> Route.Target? {
      network.hosts[host].daemon?.table.allowedIPs.target(for: prefix.address, from: source)
    }
    network.reconfigure(0) {
      $0.interface.announce = [Configuration.Announcement(prefix, source: source, metric: Metric(7))]
    }
    network.run(for: .seconds(1))
    #expect(metric(network, 1, prefix) == nil && metric(network, 1, prefix, from: source) == 96 + 7)
    #expect(target(0, from: inside) == .local && target(0, from: outside) == Route.Target.none)
    network.reconfigure(0) { $0.interface.announce = [Configuration.Announcement(prefix)] }
    network.run(for: .seconds(1))
    #expect(metric(network, 1, prefix) == 96 && metric(network, 1, prefix, from: source) == nil)
    #expect(target(0, from: outside) == .local)
  }

  @Test func s4Point4RedistributedRoutesComeAndGo() {
    let network = chain(3)
    network.handle(.redistributed([Configuration.Announcement(prefix, metric: Metric(10))]), at: 0)
    network.run(for: .seconds(1))
    #expect(metric(network, 2, prefix) == 10 + 2 * 96)
    let packet = TestPacket.make(from: "\(network.hosts[2].addresses[0])", to: "\(prefix.address)")
    network.send(packet, from: 2)
    network.run(for: .seconds(1))
    #expect(network.hosts[0].packets == [packet.afterHops(1)])
    network.handle(.redistributed([]), at: 0)
    network.run(for: .seconds(1))
    #expect(metric(network, 2, prefix) == nil)
    network.expectNoLoops()
  }

  @Test func whatIsWrittenCountsBeforeTheHostsRoutes() {
    let network = chain(2)
    network.reconfigure(0) { $0.interface.announce = [Configuration.Announcement(prefix, metric: Metric(5))] }
    network.handle(.redistributed([Configuration.Announcement(prefix, metric: Metric(900))]), at: 0)
    network.run(for: .seconds(1))
    #expect(metric(network, 1, prefix) == 5 + 96)
    // And it stays when the route goes.
    network.handle(.redistributed([]), at: 0)
    network.run(for: .seconds(1))
    #expect(metric(network, 1, prefix) == 5 + 96)
  }

  @Test func checkedPrefixIsAnnouncedOnlyWhileItIsHealthy() {
    let network = chain(2)
    let check = Configuration.Check(prefix, .ping(prefix.address))
    network.reconfigure(0) {
      $0.interface.announce = [Configuration.Announcement(prefix)]
      $0.interface.checks = [check]
    }
    network.run(for: .seconds(1))
    #expect(metric(network, 1, prefix) == nil)
    for isHealthy in [true, false, true] {
      network.handle(.healthy(isHealthy ? [prefix] : []), at: 0)
      network.run(for: .seconds(1))
      #expect((metric(network, 1, prefix) != nil) == isHealthy)
    }
    network.reconfigure(0) { $0.interface.checks = [] }
    network.handle(.healthy([]), at: 0)
    network.run(for: .seconds(1))
    #expect(metric(network, 1, prefix) == 96)
    network.expectNoLoops()
  }

  @Test func trafficGoesToTheOtherGatewayWhileACheckFails() {
    let network = SimulationTests.chain(3)
    // Hosts 0 and 2 both have the prefix, and 1 between them prefers 0.
    for (host, metric) in [(0, Metric(0)), (2, Metric(200))] {
      network.reconfigure(host) {
        $0.interface.announce = [Configuration.Announcement(prefix, metric: metric)]
        if host == 0 { $0.interface.checks = [Configuration.Check(prefix, .ping(prefix.address))] }
      }
    }
    network.handle(.healthy([prefix]), at: 0)
    network.run(for: .seconds(4))
    for (isHealthy, gateway) in [(true, 0), (false, 2), (true, 0)] {
      network.handle(.healthy(isHealthy ? [prefix] : []), at: 0)
      network.run(for: .seconds(40))
      let before = network.hosts[gateway].deliveries.count
      network.send(
        TestPacket.make(from: "\(network.hosts[1].addresses[0])", to: "\(prefix.address)"), from: 1)
      network.run(for: .seconds(1))
      #expect(network.hosts[gateway].deliveries.count == before + 1, "gateway \(gateway)")
    }
    network.expectNoLoops()
  }

  @Test func ownAddressWithAFailingCheckIsStillOurs() {
    let network = chain(2)
    let own = IPPrefix(host: network.hosts[0].addresses[0])
    network.reconfigure(0) { $0.interface.checks = [Configuration.Check(own, .ping(own.address))] }
    network.run(for: .seconds(1))
    #expect(metric(network, 0, own) == nil)
    #expect(network.hosts[0].daemon?.table.allowedIPs.target(for: own.address, from: own.address) == .local)
  }

  @Test func filterOfTheInterfaceIsForAllPeersAndThatOfAPeerComesFirst() throws {
    let network = chain(3)
    network.reconfigure(0) { $0.interface.announce = [Configuration.Announcement(prefix)] }
    let (deny, allow) = (try rules("in ip \(prefix) deny"), try rules("in ip \(prefix) metric 7"))
    network.reconfigure(1) { $0.interface.filters = deny }
    network.run(for: .seconds(1))
    #expect(metric(network, 1, prefix) == nil && metric(network, 2, prefix) == nil)
    network.reconfigure(1) { $0.peers[0].filters = allow }
    network.run(for: .seconds(2))
    #expect(metric(network, 1, prefix) == 96 + 7)
    #expect(metric(network, 2, prefix) == 2 * 96 + 7)
    let out = try rules("out ip \(prefix) deny")
    network.reconfigure(1) { $0.peers[1].filters = out }
    network.run(for: .seconds(1))
    #expect(metric(network, 1, prefix) == 96 + 7 && metric(network, 2, prefix) == nil)
    network.reconfigure(1) {
      $0.interface.filters = []
      for index in $0.peers.indices { $0.peers[index].filters = [] }
    }
    network.run(for: .seconds(2))
    #expect(metric(network, 2, prefix) == 2 * 96)
    network.expectConverged()
    network.expectTraffic()
  }
}

extension IPPrefix {
  /// A prefix that no simulated host has by itself.
  fileprivate var subnet: IPPrefix { IPPrefix("10.99.0.0/16") ?? self }
}
