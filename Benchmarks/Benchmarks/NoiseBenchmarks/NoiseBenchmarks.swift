import Benchmark
import Net
import Noise
import Reference

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .short

  for backend in AEAD.Backend.allCases {
    for size in [64, 256, 1420] {
      for count in [1, 16, 64] {
        Benchmark("Seal \(count) × \(size) octets, \(backend)") { benchmark in
          var packets = SealedPackets(count: count, size: size, backend)
          benchmark.measure { _ in packets.seal() }
        }
        Benchmark("Open \(count) × \(size) octets, \(backend)") { benchmark in
          var packets = SealedPackets(count: count, size: size, backend)
          packets.seal()
          benchmark.measure { _ in packets.open() }
        }
      }
    }
  }

  Benchmark("Replay window, one packet in order") { benchmark in
    var window = ReplayWindow()
    benchmark.measure { blackHole(window.accept(UInt64($0))) }
  }

  Benchmark("Replay window, one packet out of order") { benchmark in
    var window = ReplayWindow()
    // Each one half a window away from the one before.
    benchmark.measure { blackHole(window.accept(UInt64($0 / 2 + $0 % 2 * 4096))) }
  }

  Benchmark("Handshake, both roles") { benchmark in
    var pair = TunnelPair()
    benchmark.measure { _ in pair.shakeHands() }
  }
}
