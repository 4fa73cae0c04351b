public import Benchmark

extension Benchmark {
  /// Picoseconds of one call of what is measured.
  public static let subject = BenchmarkMetric.custom(
    "Subject", polarity: .prefersSmaller, useScalingFactor: false)
  /// Picoseconds of one pass of the reference loop; `scripts/check-benchmarks` divides by it.
  public static let reference = BenchmarkMetric.custom(
    "Reference", polarity: .prefersSmaller, useScalingFactor: false)

  /// Measures one sample: slices of calls of `body`, with numbers from 0 on, and of the reference loop in turn.
  ///
  /// What disturbs a slice only makes it longer, so the best slice of each counts. A slice is much shorter than the
  /// scheduler lets a process run: even on a machine with more to do than processors, most pass undisturbed.
  @inlinable
  @inline(__always)
  public func measure(_ body: (Int) -> Void) {
    var reference = Reference()
    var bestPass = Int.max
    var bestCall = Int.max
    var next = 0
    var calls = 1
    startMeasurement()
    for _ in 0..<100 {
      bestPass = min(bestPass, reference.picosecondsOfPass())
      let start = ContinuousClock.now
      for number in next..<next + calls { body(number) }
      let time = start.duration(to: .now).picoseconds
      next += calls
      bestCall = min(bestCall, time / calls)
      // The first slices warm the caches up, and find the length of the others.
      if time < 20_000_000 { calls *= 2 }
    }
    stopMeasurement()
    measurement(Self.subject, bestCall)
    measurement(Self.reference, bestPass)
  }
}

extension Duration {
  /// Whole picoseconds.
  @usableFromInline
  var picoseconds: Int {
    Int(components.seconds) * 1_000_000_000_000 + Int(components.attoseconds / 1_000_000)
  }
}

extension Benchmark.Configuration {
  /// The configuration of all benchmarks: short, since `scripts/check-benchmarks` runs them all.
  ///
  /// The throughput, in samples, says nothing; without it the framework exports no JSON.
  public static var short: Self {
    Self(metrics: [.throughput, Benchmark.subject, Benchmark.reference], maxDuration: .milliseconds(250))
  }
}
