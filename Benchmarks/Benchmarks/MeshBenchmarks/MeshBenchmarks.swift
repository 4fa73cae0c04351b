import Benchmark
import Mesh
import Net

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .throughput], scalingFactor: .kilo, maxDuration: .seconds(2))

  for count in [10, 1_000, 100_000] {
    Benchmark("Look up IPv4 among \(count) prefixes") { benchmark in
      lookUp(benchmark, count) { .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: $0.next()))) }
    }
    Benchmark("Look up IPv6 among \(count) prefixes") { benchmark in
      lookUp(benchmark, count) { .v6(IPv6Address(high: 0xFD44 << 48 | $0.next() >> 32, low: $0.next())) }
    }
  }
}

/// Looks up random addresses, half of which lie in a prefix of the table.
private func lookUp(_ benchmark: Benchmark, _ count: Int, _ address: (inout SplitMix64) -> IPAddress) {
  var random = SplitMix64(seed: 1)
  var table = AllowedIPs()
  var destinations: [IPAddress] = []
  for peer in 0..<UInt32(count) {
    let inside = address(&random)
    guard let prefix = IPPrefix(inside, length: inside.family.bitWidth - Int(random.next() % 16)) else {
      continue
    }
    table[prefix] = Route(owner: PeerID(rawValue: peer % 1_000))
    destinations.append(inside)
    destinations.append(address(&random))
  }
  destinations.shuffle(using: &random)
  benchmark.startMeasurement()
  for index in benchmark.scaledIterations {
    blackHole(table.target(for: destinations[index % destinations.count]))
  }
  benchmark.stopMeasurement()
}
