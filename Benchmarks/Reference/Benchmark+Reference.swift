public import Benchmark

extension Benchmark {
  /// Picoseconds of one pass of the reference loop; `scripts/check-benchmarks` divides by it.
  public static let reference = BenchmarkMetric.custom(
    "Reference", polarity: .prefersSmaller, useScalingFactor: false)

  /// Measures one sample: `body` for each iteration, after a look at the reference loop.
  @inlinable
  @inline(__always)
  public func measure(_ body: (Int) -> Void) {
    var reference = Reference()
    measurement(Self.reference, reference.picosecondsOfPass())
    startMeasurement()
    for iteration in scaledIterations { body(iteration) }
    stopMeasurement()
  }
}

extension Benchmark.Configuration {
  /// The configuration of all benchmarks: short, since `scripts/check-benchmarks` runs them all.
  ///
  /// A sample has 1000 iterations, or one of what takes long enough.
  public static func short(iterations: BenchmarkScalingFactor = .kilo) -> Self {
    Self(
      metrics: [.wallClock, .throughput, Benchmark.reference], scalingFactor: iterations,
      maxDuration: .milliseconds(250))
  }
}
