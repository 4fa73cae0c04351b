import Mesh
import Net
import Noise
import Simulation
import Testing

/// Routes for packets from some sources only (RFC 9079), from a neighbour's announcement to the table and the host.
@Suite struct SimulationSourceSpecificTests {
  /// What an exit for fd09::/16 announces: ::/0 from there, or that it is gone.
  private static func announcement(_ network: SimulatedNetwork, by exit: Int, metric: UInt16) throws
    -> [UInt8]
  {
    let key = try #require(network.hosts[exit].configuration.interface.privateKey).publicKey
    var tlvs = ByteWriter()
    for word in [0x060A_0000, 0x0102_0304, 0x0506_0708] as [UInt32] { tlvs.append(big32: word) }
    tlvs.append(big32: 0x080F_0200)
    tlvs.append(big32: 0x0000_0190)
    tlvs.append(big16: 7)
    tlvs.append(big16: metric)
    // Source Prefix: fd09::/16.
    for octet in [128, 3, 16, 0xFD, 0x09] as [UInt8] { tlvs.append(byte: octet) }
    var packet = ByteWriter()
    packet.append(big16: 0x2A02)
    packet.append(big16: UInt16(tlvs.count))
    packet.append(contentsOf: tlvs.bytes)
    return TestPacket.udp6(from: "\(key.linkLocal)", to: "ff02::1:6", payload: packet.bytes)
  }

  @Test func anExitForSomeSourcesIsUsedByThemAlone() throws {
    let network = SimulationTests.chain(3)
    network.run(for: .seconds(3))
    let outside = try #require(IPAddress("2001:db8::1"))
    let (inside, stranger) = (try #require(IPAddress("fd09::1")), try #require(IPAddress("fd10::1")))
    let exit = HostPrefix(.defaultIPv6, from: IPPrefix("fd09::/16"))
    func target(at host: Int, from source: IPAddress) -> Route.Target? {
      network.hosts[host].daemon?.table.allowedIPs.target(for: outside, from: source)
    }
    func peer(_ other: Int, at host: Int) -> Route.Target? {
      network.hosts[other].configuration.interface.privateKey
        .flatMap { network.hosts[host].daemon?.id(of: $0.publicKey) }.map { .peer($0) }
    }
    network.seal(try Self.announcement(network, by: 2, metric: 0), from: 2, to: 1)
    network.run(for: .seconds(1))
    // The neighbour of the exit, and the one behind it.
    for (host, next) in [(1, 2), (0, 1)] {
      #expect(target(at: host, from: inside) == peer(next, at: host))
      #expect(target(at: host, from: stranger) == Route.Target.none)
      #expect(network.hosts[host].daemon?.hostPrefixes.contains(exit) == true)
    }
    let middle = try #require(network.hosts[1].daemon)
    let explanation = middle.node.explain(outside, from: inside, at: network.now)
    #expect(explanation.prefix == .defaultIPv6 && explanation.source == exit.source)
    #expect(explanation.basis == .selected && explanation.routes.allSatisfy { $0.source == exit.source })
    #expect(explanation.switches.map(\.source) == [exit.source])
    let other = middle.node.explain(outside, from: stranger, at: network.now)
    #expect(other.target == .none && other.basis == .unknown && other.routes.isEmpty)
    // What comes back from outside comes by the exit.
    let reply = TestPacket.make(from: "2001:db8::1", to: "\(network.hosts[1].addresses[1])")
    network.seal(reply, from: 2, to: 1)
    network.run(for: .seconds(1))
    #expect(network.hosts[1].packets == [reply])

    network.seal(try Self.announcement(network, by: 2, metric: .max), from: 2, to: 1)
    network.run(for: .seconds(1))
    #expect(target(at: 1, from: inside) != peer(2, at: 1))
    network.run(for: .seconds(300))
    #expect(target(at: 0, from: inside) == Route.Target.none)
    #expect(network.hosts[0].daemon?.hostPrefixes.contains(exit) == false)
  }

  @Test("S4.1 in IPv6, S4.2 in IPv4: each source leaves by its own exit", arguments: AddressFamily.allCases)
  func eachSourceLeavesByItsOwnExit(family: AddressFamily) {
    // 0 and 1 - 2 - 3 and 4: of the exits, 3 is for what comes from 0, and 4 for what comes from 1.
    let network = SimulatedNetwork(hostCount: 5, seed: Seeds.one)
    for host in [0, 1, 3, 4] { network.connect(2, host) }
    let pairs = [(0, 3), (1, 4)]
    let everywhere = family == .v4 ? IPPrefix.defaultIPv4 : .defaultIPv6
    func address(_ host: Int) -> IPAddress { network.hosts[host].addresses[family == .v4 ? 0 : 1] }
    for (host, exit) in pairs {
      network.configure(exit) {
        $0.interface.announce = [
          Configuration.Announcement(everywhere, source: IPPrefix(host: address(host)))
        ]
      }
    }
    network.start()
    network.run(for: .seconds(3))
    for (host, exit) in pairs {
      let before = network.hosts.map(\.deliveries.count)
      let world = family == .v4 ? "198.51.100.1" : "2001:db8::1"
      network.send(TestPacket.make(from: "\(address(host))", to: world), from: host)
      network.run(for: .seconds(1))
      let reached = network.hosts.indices.filter { network.hosts[$0].deliveries.count > before[$0] }
      #expect(reached == [exit], network.comment)
    }
    // Of the host's own routes, none is a default route for everybody.
    for host in 0..<3 {
      #expect(network.hosts[host].daemon?.hostPrefixes.contains(HostPrefix(everywhere)) == false)
    }
  }

  @Test func aHostTakesADefaultRouteForItsOwnAddressesAlone() throws {
    let addresses = ["10.44.0.1", "10.44.0.2", "10.45.0.1", "fd09::1"].compactMap { IPAddress($0) }
    let exit = HostPrefix(.defaultIPv4, from: IPPrefix("10.44.0.0/16"))
    let hosts = exit.narrowed(to: addresses).map(\.source)
    #expect(hosts == [IPPrefix("10.44.0.1/32"), IPPrefix("10.44.0.2/32")])
    #expect(HostPrefix(.defaultIPv4).narrowed(to: addresses) == [])
  }
}
