import Babel
import Benchmark
import Net
import Reference

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .short

  let linkLocal = IPv6Address(high: 0xFE80_0000_0000_0000, low: 1)

  Benchmark("Read a packet of 30 updates") { benchmark in
    let packet = updates(0..<30, from: linkLocal)
    benchmark.measure { _ in
      guard var reader = PacketReader(packet.span.bytes, from: linkLocal) else { return }
      while let message = reader.next() { blackHole(message) }
    }
  }

  for count in [30, 100_000] {
    Benchmark("A speaker hears 30 updates it knows, of \(count)") { (benchmark, listener: Listener) in
      var listener = listener
      benchmark.measure { listener.hear(listener.round(0, packet: $0)) }
    } setup: {
      Listener(count, linkLocal)
    }
    // Stored and chosen anew, but no change that is worth an update.
    Benchmark("A speaker hears 30 updates with other metrics, of \(count)") {
      (benchmark, listener: Listener) in
      var listener = listener
      benchmark.measure { listener.hear(listener.round($0 / listener.packetCount + 1, packet: $0)) }
    } setup: {
      Listener(count, linkLocal)
    }
  }

  Benchmark("A speaker hears 30 new routes, and their retractions") { benchmark in
    var listener = Listener(0, linkLocal)
    let routes = updates(0..<30, from: linkLocal)
    let retractions = updates(0..<30, metric: .infinity, from: linkLocal)
    benchmark.measure { _ in
      listener.hear(routes)
      listener.hear(retractions)
    }
  }
}

/// A speaker with one neighbour, and packets with the neighbour's routes in two forms.
private struct Listener {
  private var speaker: Speaker
  private let linkLocal: IPv6Address
  private var rounds: [[[UInt8]]] = []

  /// The number of packets that hold all routes once.
  var packetCount: Int { rounds[0].count }

  init(_ count: Int, _ linkLocal: IPv6Address) {
    let ours = IPv6Address(high: 0xFE80_0000_0000_0000, low: 2)
    var limits = Limits()
    limits.routesPerNeighbour = 2 * max(count, 30)
    guard let routerID = RouterID(0x0102_0304_0506_0708) else { preconditionFailure("no router-id") }
    self.linkLocal = linkLocal
    speaker = Speaker(routerID: routerID, seqno: Seqno(1), seed: 1, limits: limits)
    speaker.addNeighbour(NeighbourID(1), NeighbourSettings(ourLinkLocal: ours), at: .zero)
    speaker.linkUp(NeighbourID(1), at: .zero)
    // Two Hellos and an IHU: the link works, and its routes are used.
    let interval = Interval(centiseconds: 60_000)
    hear(packet([.hello(Hello(seqno: Seqno(1), interval: interval))]))
    hear(
      packet([
        .hello(Hello(seqno: Seqno(2), interval: interval)),
        .ihu(IHU(address: .v6(ours), rxcost: .wired, interval: interval)),
      ]))
    rounds = [96, 97].map { metric in
      stride(from: 0, to: count, by: 30).map {
        updates($0..<min($0 + 30, count), metric: Metric(metric), from: linkLocal)
      }
    }
    for packet in rounds[0] { hear(packet) }
    precondition(speaker.routes(at: .zero).count { $0.isSelected } == count, "a route is not used")
  }

  private func packet(_ messages: [TLV]) -> [UInt8] {
    var writer = PacketWriter(limit: 1372, source: linkLocal)
    for message in messages { precondition(writer.append(message), "one packet is enough") }
    return writer.finish() ?? []
  }

  func round(_ round: Int, packet: Int) -> [UInt8] { rounds[round % 2][packet % packetCount] }

  mutating func hear(_ packet: [UInt8]) {
    speaker.handle(
      packet.span.bytes, from: NeighbourID(1), source: linkLocal, destinationIsUnicast: false, at: .zero)
    while let output = speaker.poll() { blackHole(output) }
  }
}

/// One packet with updates for as many IPv6 host prefixes of one origin.
private func updates(
  _ numbers: Range<Int>, metric: Metric = .wired, from linkLocal: IPv6Address
) -> [UInt8] {
  guard let origin = RouterID(0x1112_1314_1516_1718) else { return [] }
  let interval = Interval(centiseconds: 2000)
  var writer = PacketWriter(limit: 1372, source: linkLocal)
  for number in numbers {
    let prefix = IPPrefix(host: .v6(IPv6Address(high: 0xFD44 << 48, low: UInt64(number))))
    let update =
      metric.isFinite
      ? Update(
        prefix: prefix, routerID: origin, nextHop: .v6(linkLocal), seqno: Seqno(1), metric: metric,
        interval: interval)
      : Update(retracting: prefix, seqno: Seqno(1), interval: interval)
    precondition(writer.append(.update(update)), "one packet is enough")
  }
  return writer.finish() ?? []
}
