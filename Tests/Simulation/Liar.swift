import Babel
import Mesh
import Net

/// A member of the network that announces whatever it likes.
///
/// Beside its lies it is a node like the others.
struct Liar {
  let host: Int

  /// Sends each peer some lies.
  func lie(in network: SimulatedNetwork, using random: inout SplitMix64) {
    let key = network.hosts[host].publicKey
    for peer in network.hosts[host].configuration.peers where !random.once(in: 3) {
      guard let victim = network.numbers[peer.publicKey] else { continue }
      let payload = payload(network, from: key.linkLocal, using: &random)
      let packet = TestPacket.udp6(from: "\(key.linkLocal)", to: "ff02::1:6", payload: payload)
      network.seal(packet, from: host, to: victim)
    }
  }

  private func payload(
    _ network: SimulatedNetwork, from source: IPv6Address, using random: inout SplitMix64
  ) -> [UInt8] {
    var writer = PacketWriter(limit: 1372, source: source)
    for _ in 0...random.number(below: 12) {
      _ = writer.append(message(network, from: source, using: &random))
    }
    var payload = writer.finish() ?? []
    guard random.once(in: 8), payload.count > 4 else { return payload }
    // What comes of that may be about anybody.
    network.falsePrefixes.formUnion(network.hosts.flatMap(\.addresses).map { IPPrefix(host: $0) })
    for _ in 0...random.number(below: 4) {
      payload[random.number(below: payload.count)] = UInt8(random.next() & 0xFF)
    }
    return payload
  }

  private func message(
    _ network: SimulatedNetwork, from source: IPv6Address, using random: inout SplitMix64
  ) -> TLV {
    let victim = network.hosts[random.number(below: network.hosts.count)]
    let prefix = prefix(of: victim, using: &random)
    let seqno = Seqno(UInt16(truncatingIfNeeded: random.next()))
    let interval = Interval(centiseconds: UInt16(1 + random.number(below: 60_000)))
    guard let stolen = RouterID(DerivedAddresses(of: victim.publicKey).interfaceIdentifier),
      let own = RouterID(DerivedAddresses(of: network.hosts[host].publicKey).interfaceIdentifier),
      let unknown = RouterID(random.next() | 1)
    else { return .wildcardRetraction }
    switch random.number(below: 12) {
    case 0: return .wildcardRetraction
    case 1: return .update(Update(retracting: prefix, seqno: seqno, interval: interval))
    case 2: return .routeRequest(RouteRequest(prefix: random.once(in: 2) ? nil : prefix))
    case 3:
      return .seqnoRequest(
        SeqnoRequest(
          prefix: prefix, routerID: stolen, seqno: seqno, hopCount: UInt8(1 + random.number(below: 255))))
    case 4: return .hello(Hello(isUnicast: random.once(in: 2), seqno: seqno, interval: interval))
    case 5:
      return .ihu(IHU(address: nil, rxcost: Metric(UInt16(random.number(below: 65_536))), interval: interval))
    default:
      network.falsePrefixes.insert(prefix)
      let metric = Metric(random.once(in: 2) ? 0 : UInt16(random.number(below: 65_535)))
      let nextHop: IPAddress = prefix.family == .v4 ? .v4(IPv4Address(192, 0, 0, 8)) : .v6(source)
      return .update(
        Update(
          prefix: prefix, routerID: random.pick([stolen, stolen, own, unknown]), nextHop: nextHop,
          seqno: seqno,
          metric: metric, interval: interval))
    }
  }

  /// A prefix that is a victim's, or that holds it, or that nobody has.
  private func prefix(of victim: SimulatedHost, using random: inout SplitMix64) -> IPPrefix {
    let address = random.pick(victim.addresses)
    let length =
      random.once(in: 2) ? address.family.bitWidth : random.number(below: address.family.bitWidth + 1)
    let unknown = IPAddress.v6(IPv6Address(high: 0xFD99 << 48, low: random.next()))
    return IPPrefix(address, length: length) ?? IPPrefix(host: unknown)
  }
}
