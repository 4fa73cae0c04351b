import Benchmark
import Net
import Reference

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .short

  for size in [64, 1420] {
    Benchmark("Checksum of \(size) octets") { benchmark in
      let packet = [UInt8](repeating: 0xA5, count: size)
      benchmark.measure { _ in
        var checksum = Checksum()
        checksum.add(packet.span.bytes)
        blackHole(checksum.value)
      }
    }
  }

  Benchmark("Read an IPv6 header") { benchmark in
    var packet = [UInt8](repeating: 0, count: 1420)
    packet[0] = 0x60
    packet[4] = 5
    packet[5] = 100
    benchmark.measure { _ in blackHole(IPHeader(reading: packet.span.bytes)) }
  }
}
