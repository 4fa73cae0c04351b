import Benchmark
import Net
import Reference
import Tun

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .short

  for (name, flow) in [
    ("TCP over IPv4", SuperPacket.tcp4), ("TCP over IPv6", .tcp6), ("UDP over IPv4", .udp4),
  ] {
    Benchmark("Split \(SuperPacket.segmentCount) packets, \(name)") { benchmark in
      var batch = flow.emptyBatch()
      benchmark.measure { _ in flow.split(into: &batch) }
    }
    Benchmark("Merge \(SuperPacket.segmentCount) packets, \(name)") { benchmark in
      var batch = flow.emptyBatch()
      flow.split(into: &batch)
      let first = batch.bytes(0).octets
      var coalescing = Coalescing(TunOffloads(checksums: true, segments: true, datagrams: true))
      benchmark.measure { _ in
        // Merging has written over the headers of the first packet.
        var packet = batch.mutableBytes(0)
        packet.copy(first.span.bytes, to: 0)
        coalescing.gather(&batch)
      }
      precondition(coalescing.count == 1, "one super-packet")
    }
  }
}

extension RawSpan {
  /// A copy.
  fileprivate var octets: [UInt8] { (0..<byteCount).map { byte($0) } }
}
