import Babel
import Benchmark
import Net
import Reference

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .short

  let linkLocal = IPv6Address(high: 0xFE80_0000_0000_0000, low: 1)

  Benchmark("Read a packet of 30 updates") { benchmark in
    let packet = updates(30, seqno: 1, from: linkLocal)
    benchmark.measure { _ in
      guard var reader = PacketReader(packet.span.bytes, from: linkLocal) else { return }
      while let message = reader.next() { blackHole(message) }
    }
  }

  Benchmark("A speaker hears 30 updates it knows") { benchmark in
    guard let routerID = RouterID(0x0102_0304_0506_0708) else { return }
    var speaker = Speaker(routerID: routerID, seqno: Seqno(1), seed: 1)
    let settings = NeighbourSettings(ourLinkLocal: IPv6Address(high: 0xFE80_0000_0000_0000, low: 2))
    speaker.addNeighbour(NeighbourID(1), settings, at: .zero)
    speaker.linkUp(NeighbourID(1), at: .zero)
    let packet = updates(30, seqno: 1, from: linkLocal)
    benchmark.measure { _ in
      speaker.handle(
        packet.span.bytes, from: NeighbourID(1), source: linkLocal, destinationIsUnicast: false, at: .zero)
      while let output = speaker.poll() { blackHole(output) }
    }
  }
}

/// One packet with updates for as many IPv6 host prefixes of one origin.
private func updates(_ count: UInt64, seqno: UInt16, from linkLocal: IPv6Address) -> [UInt8] {
  guard let origin = RouterID(0x1112_1314_1516_1718) else { return [] }
  var writer = PacketWriter(limit: 1372, source: linkLocal)
  for number in 0..<count {
    let prefix = IPPrefix(host: .v6(IPv6Address(high: 0xFD44 << 48, low: number)))
    let update = Update(
      prefix: prefix, routerID: origin, nextHop: .v6(linkLocal), seqno: Seqno(seqno),
      metric: Metric(96), interval: Interval(centiseconds: 2000))
    precondition(writer.append(.update(update)), "one packet is enough")
  }
  return writer.finish() ?? []
}
