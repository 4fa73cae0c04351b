/// A span of time on the wire: centiseconds in 16 bits.
@frozen
public struct Interval: Hashable, Sendable, BitwiseCopyable {
  /// Hundredths of a second.
  public let centiseconds: UInt16

  /// Makes the interval of this many hundredths of a second.
  @inlinable
  public init(centiseconds: UInt16) {
    self.centiseconds = centiseconds
  }

  /// The shortest interval that is not shorter than `duration`, since an interval is a promise; at least one hundredth
  /// and at most 655.35 s.
  public init(_ duration: Duration) {
    let rounded = (duration / .milliseconds(10)).rounded(.up)
    centiseconds = UInt16(min(max(rounded, 1), Double(UInt16.max)))
  }

  /// No promise: an unscheduled Hello.
  public static let zero = Interval(centiseconds: 0)

  /// What a goodbye promises: the next Hello so soon that it counts as missed at once.
  static let farewell = Interval(centiseconds: 1)

  /// Whether a Hello that promises it is a goodbye; babeld's promises 100 ms.
  public var isFarewell: Bool { (1...10).contains(centiseconds) }

  /// The interval in nanoseconds: `Duration` counts in 128 bits, which is felt where it is done for every update.
  var nanoseconds: Int64 { Int64(centiseconds) * 10_000_000 }

  /// The interval as a duration.
  public var duration: Duration { .milliseconds(Int64(centiseconds) * 10) }
}
