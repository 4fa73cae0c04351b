internal import Net

/// The round-trip time to a neighbour (RFC 9616 §2 and §3.1).
///
/// Clocks are free-running microseconds modulo 2^32, about 71 minutes; the two ends' need not agree.
struct RoundTrip: Sendable {
  /// The newest sample weighs 42/256, as at babeld and BIRD: α = 0.836.
  private static let weight = 42.0 / 256
  /// Longer waits are clocks that were set, or timestamps from another life.
  private static let longestWait: UInt32 = 600_000_000
  /// An estimate that no sample has confirmed for so long is none.
  private static let lifetime = Duration.seconds(180)
  /// How long every sample must lie on the same side to be no jitter but another path.
  private static let shiftTime = Duration.seconds(2)

  /// When the neighbour sent its last Hello by its clock, and when that arrived by ours; `nil` if it did not say.
  private(set) var echo: IHU.Timestamps?
  /// The smoothed samples; `nil` without any.
  private(set) var smoothed: Duration?
  /// What the cost goes by: it follows `smoothed` in steps that jitter does not make, so that a link with jitter keeps
  /// its cost.
  private(set) var settled: Duration?
  private var expiry = Instant.distantFuture
  private var shift: Shift?
  private let beginning: Instant

  /// Samples in a row that are all far above the estimate, or all far below.
  private struct Shift: Sendable {
    var isUp: Bool
    var since: Instant
    /// The sample nearest to the estimate but for the first, half of which may have gone the old way.
    var nearest: Duration?
  }

  /// Begins with the link: what was sent before is in nobody's memory.
  init(at now: Instant = .zero) {
    beginning = now
  }

  /// Notes a Hello that arrived at `clock`; one without timestamp ends the use of an older one's, which may be from
  /// another life.
  mutating func hear(_ timestamp: UInt32?, at clock: UInt32) {
    echo = timestamp.map { IHU.Timestamps(origin: $0, receive: clock) }
  }

  /// Takes the times of an IHU and of the Hello in the same packet, which arrived at `clock`.
  mutating func measure(_ ihu: IHU.Timestamps, hello: UInt32, clock: UInt32, at now: Instant) {
    let away = clock &- ihu.origin
    let atNeighbour = hello &- ihu.receive
    guard away <= Self.longestWait, atNeighbour <= Self.longestWait,
      Duration.microseconds(Int64(away)) <= beginning.duration(to: now)
    else { return }
    // Clocks drift: a little less than nothing is nothing.
    add(.microseconds(away > atNeighbour ? Int64(away - atNeighbour) : 0), at: now)
  }

  /// Takes a sample.
  mutating func add(_ sample: Duration, at now: Instant) {
    expiry = now.advanced(by: Self.lifetime)
    guard let old = smoothed else {
      (smoothed, settled) = (sample, sample)
      return
    }
    // Smoothing takes ten samples to follow a path that has changed for good; that is seen sooner.
    follow(sample, from: old, at: now)
    if let shift, shift.since.advanced(by: Self.shiftTime) <= now {
      smoothed = shift.nearest ?? sample
      self.shift = nil
    } else {
      smoothed = old + (sample - old) * Self.weight
    }
    guard let smoothed, let settled else { return }
    let step = max(settled / 8, .milliseconds(5))
    if smoothed > settled + step || smoothed < settled - step { self.settled = smoothed }
  }

  /// Begins anew with a first sample: packets take another way.
  mutating func restart(with sample: Duration, at now: Instant) {
    (smoothed, settled, shift) = (sample, sample, nil)
    expiry = now.advanced(by: Self.lifetime)
  }

  private mutating func follow(_ sample: Duration, from old: Duration, at now: Instant) {
    let tolerance = max(old / 4, .milliseconds(10))
    guard sample > old + tolerance || sample < old - tolerance else {
      shift = nil
      return
    }
    let isUp = sample > old
    if let known = shift, known.isUp == isUp {
      let nearest = known.nearest ?? sample
      shift?.nearest = isUp ? min(nearest, sample) : max(nearest, sample)
    } else {
      shift = Shift(isUp: isUp, since: now)
    }
  }

  /// Forgets an estimate that is too old.
  mutating func expire(at now: Instant) {
    guard expiry <= now else { return }
    (smoothed, settled, shift) = (nil, nil, nil)
    expiry = .distantFuture
  }
}
