import Benchmark
import Net
import Noise

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .throughput], scalingFactor: .kilo, maxDuration: .seconds(2))

  for backend in AEAD.Backend.allCases {
    for size in [64, 1420] {
      Benchmark("Seal \(size) octets, batches of 16, \(backend)") { benchmark in
        transform(benchmark, size, backend, isOpening: false)
      }
      Benchmark("Open \(size) octets, batches of 16, \(backend)") { benchmark in
        transform(benchmark, size, backend, isOpening: true)
      }
    }
  }

  Benchmark("Replay window, in order") { benchmark in
    var window = ReplayWindow()
    for counter in benchmark.scaledIterations {
      blackHole(window.accept(UInt64(counter)))
    }
  }

  Benchmark("Handshake, both roles", configuration: .init(scalingFactor: .one)) { benchmark in
    var pair = TunnelPair()
    for _ in benchmark.scaledIterations { pair.shakeHands() }
  }
}

/// Seals or opens a batch of 16 per iteration; one iteration counts as 16 packets of `size` octets.
private func transform(_ benchmark: Benchmark, _ size: Int, _ backend: AEAD.Backend, isOpening: Bool) {
  var aead = AEAD(backend: backend)
  let key = SymmetricKey([UInt8](repeating: 1, count: 32).span.bytes, in: SecretArena())
  let stride = size + AEAD.tagSize
  // Not in place, so that every iteration finds the same input.
  var memory = [UInt8](repeating: 2, count: 3 * 16 * stride)
  var seals: [AEAD.Job] = []
  var opens: [AEAD.Job] = []
  for slot in 0..<16 {
    let counter = UInt64(slot)
    seals.append(
      .init(source: slot * stride, destination: (16 + slot) * stride, length: size, counter: counter))
    opens.append(
      .init(source: (16 + slot) * stride, destination: (32 + slot) * stride, length: size, counter: counter))
  }
  memory.withUnsafeMutableBytes { memory in
    guard let base = memory.baseAddress else { return }
    seals.withUnsafeMutableBufferPointer { aead.seal($0, in: base, key: key) }
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations {
      if isOpening {
        opens.withUnsafeMutableBufferPointer { aead.open($0, in: base, key: key) }
      } else {
        seals.withUnsafeMutableBufferPointer { aead.seal($0, in: base, key: key) }
      }
    }
    benchmark.stopMeasurement()
  }
}
