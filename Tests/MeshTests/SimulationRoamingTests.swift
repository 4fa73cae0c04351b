import Mesh
import Net
import Noise
import Simulation
import Testing

/// Stock clients that several nodes know: the one they turned to last announces them.
@Suite struct SimulationRoamingTests {
  /// 0 - 1 - 2 - 3 in a ring with 0 - 3; 4 is a stock client of 0 and 2, and uses 0.
  private func network(saysOff: Bool = false, seed: UInt64 = Seeds.one) -> SimulatedNetwork {
    let network = SimulatedNetwork(hostCount: 5, seed: seed)
    for host in 0..<4 { network.connect(host, (host + 1) % 4) }
    for gateway in [0, 2] {
      network.connect(gateway, 4)
      network.configure(gateway) { configuration in
        let last = configuration.peers.count - 1
        configuration.peers[last].endpoints = []
        if saysOff { configuration.peers[last].babel = false }
      }
    }
    network.configure(4) { $0.interface.babel = false }
    turn(network, to: 0, configureOnly: true)
    network.start()
    return network
  }

  /// The client gives its routes to one of its peers, as `wg set … allowed-ips` does.
  private func turn(_ network: SimulatedNetwork, to gateway: Int, configureOnly: Bool = false) {
    let key = network.hosts[gateway].publicKey
    let change: (inout Configuration) -> Void = { configuration in
      for index in configuration.peers.indices {
        let isChosen = configuration.peers[index].publicKey == key
        configuration.peers[index].allowedIPs =
          isChosen ? [IPPrefix("10.77.0.0/16"), IPPrefix("fd77::/64")].compactMap(\.self) : []
      }
    }
    if configureOnly { network.configure(4, change) } else { network.reconfigure(4, change) }
  }

  /// Until an echo of the client's to host 1 would have come back, at most `limit`.
  private func timeToReach(_ network: SimulatedNetwork, limit: Duration = .seconds(4)) -> Duration? {
    let start = network.now
    while network.now < start.advanced(by: limit) {
      let sent = network.hosts[1].deliveries.count
      let answered = network.hosts[4].deliveries.count
      network.send(network.packet(from: 4, to: 1), from: 4)
      network.run(for: .milliseconds(50))
      guard network.hosts[1].deliveries.count > sent else { continue }
      network.send(network.packet(from: 1, to: 4), from: 1)
      network.run(for: .milliseconds(50))
      if network.hosts[4].deliveries.count > answered { return start.duration(to: network.now) }
    }
    return nil
  }

  private func claimants(_ network: SimulatedNetwork) -> [Int] {
    let prefix = IPPrefix(host: network.hosts[4].addresses[0])
    return (0..<4).filter { host in
      let rows = network.hosts[host].daemon?.node.xrouteRows(at: network.now) ?? []
      return rows.contains { $0.prefix == prefix }
    }
  }

  @Test(arguments: [false, true])
  func meshFollowsTheClientWithinTwoSeconds(saysOff: Bool) {
    let network = network(saysOff: saysOff)
    network.run(for: .seconds(2))
    #expect(timeToReach(network, limit: .seconds(8)) != nil, network.comment)
    network.run(for: .seconds(5))
    #expect(claimants(network) == [0], network.comment)
    for gateway in [2, 0, 2, 0, 2] {
      turn(network, to: gateway)
      let time = timeToReach(network)
      #expect(time.map { $0 < .seconds(2) } == true, "to \(gateway): \(time as Any), \(network.comment)")
      network.run(for: .milliseconds(400))
      #expect(claimants(network) == [gateway], network.comment)
      network.run(for: .seconds(gateway == 0 ? 1 : 15))
    }
    network.expectNoLoops()
    let refusals = network.sourceRefusals
    for host in 0..<4 {
      network.send(network.packet(from: 4, to: host), from: 4)
      network.send(network.packet(from: host, to: 4), from: host)
      network.run(for: .milliseconds(100))
    }
    #expect(network.sourceRefusals == refusals, network.comment)
  }

  @Test func clientThatIsGoneIsNotAnnouncedAndAppearsElsewhereAtOnce() {
    let network = network()
    #expect(timeToReach(network, limit: .seconds(8)) != nil)
    network.run(for: .seconds(5))
    network.cut(0, 4)
    turn(network, to: 2)
    #expect(timeToReach(network).map { $0 < .seconds(2) } == true, network.comment)
    #expect(claimants(network) == [2], network.comment)
    network.cut(2, 4)
    for _ in 0..<60 {
      network.send(network.packet(from: 1, to: 4), from: 1)
      network.run(for: .seconds(5))
    }
    #expect(claimants(network).isEmpty, network.comment)
    network.heal(0, 4)
    turn(network, to: 0)
    #expect(timeToReach(network).map { $0 < .seconds(2) } == true, network.comment)
    #expect(claimants(network) == [0], network.comment)
  }

  @Test func clientWithTwoGatewaysAtOnceDoesNotMakeTheMeshFollowEveryPacket() {
    let network = network()
    #expect(timeToReach(network, limit: .seconds(8)) != nil)
    network.run(for: .seconds(5))
    // IPv4 by one and IPv6 by the other, all the time.
    let gateways = [0, 2].map { network.hosts[$0].publicKey }
    network.reconfigure(4) { configuration in
      for index in configuration.peers.indices {
        let isFirst = configuration.peers[index].publicKey == gateways[0]
        configuration.peers[index].allowedIPs = [IPPrefix(isFirst ? "10.77.0.0/16" : "fd77::/64")].compactMap(
          \.self)
      }
    }
    var changes = 0
    var last = claimants(network)
    for step in 0..<1800 {
      for family in AddressFamily.allCases { network.send(network.packet(from: 4, to: 1, family), from: 4) }
      network.run(for: .milliseconds(50))
      let now = claimants(network)
      if now != last, step > 600 { changes += 1 }
      last = now
    }
    // In the last minute.
    #expect(changes <= 12, network.comment)
    network.expectNoLoops()
  }

  @Test func sleepingClientHearsNothing() {
    let network = network()
    #expect(timeToReach(network, limit: .seconds(8)) != nil)
    network.run(for: .seconds(20))
    var heard = 0
    network.tap = { _, to, _ in if to == 4 { heard += 1 } }
    network.run(for: .seconds(600))
    #expect(heard <= 2, network.comment)
    #expect(claimants(network) == [0], network.comment)
    network.tap = nil
    #expect(timeToReach(network).map { $0 < .seconds(2) } == true, network.comment)
  }
}
