public import Benchmark

extension Benchmark {
  /// What one iteration costs, in millionths of a pass of the reference loop; `scripts/check-benchmarks` holds it to a
  /// threshold.
  public static let cost = BenchmarkMetric.custom(
    "Cost", polarity: .prefersSmaller, useScalingFactor: false)

  /// Measures one sample: `body` for each iteration, between two looks at the reference loop.
  @inlinable
  @inline(__always)
  public func measure(_ body: (Int) -> Void) {
    var reference = Reference()
    let before = reference.nanosecondsOfPass()
    startMeasurement()
    let start = ContinuousClock.now
    for iteration in scaledIterations { body(iteration) }
    let duration = start.duration(to: .now)
    stopMeasurement()
    record(duration, unit: min(before, reference.nanosecondsOfPass()))
  }

  @usableFromInline
  func record(_ duration: Duration, unit: Double) {
    let iteration = duration.nanoseconds / Double(scaledIterations.count)
    measurement(Self.cost, Int(1e6 * iteration / unit))
  }
}

extension Benchmark.Configuration {
  /// The configuration of all benchmarks: short, since `scripts/check-benchmarks` runs them all.
  ///
  /// A sample has 1000 iterations, or one of what takes long enough.
  public static func short(iterations: BenchmarkScalingFactor = .kilo) -> Self {
    Self(
      metrics: [.wallClock, .throughput, Benchmark.cost], scalingFactor: iterations,
      maxDuration: .milliseconds(400))
  }
}
