/// What one direction of a link does to the frames that pass it; the default is a perfect wire.
public struct Impairment: Sendable, Equatable {
  /// The time from the end of a frame's transmission to its arrival.
  public var delay = Duration.zero
  /// How much the delay varies to either side, evenly distributed; it never becomes negative.
  public var jitter = Duration.zero
  /// Whether a frame may overtake another by jitter or a shortened delay; otherwise it waits for it.
  public var mayReorder = false
  /// The share of frames that is lost, 0 to 1.
  public var loss = 0.0
  /// Bits per second of whole Ethernet frames; `nil` is without limit.
  public var rate: Int?
  /// Octets that pass at once after a pause: the depth of the token bucket.
  ///
  /// With 0 it is a serial line.
  public var burst = 0
  /// Octets that may wait for their transmission; what comes on top is dropped.
  public var queue = 131_072
  /// The largest IP packet that passes, in octets; `nil` is without limit.
  public var mtu: Int?
  /// Whether larger packets are fragmented or answered, as by a router; otherwise they vanish.
  public var isRouter = false
  /// Whether nothing passes, and nobody is told.
  public var isDown = false

  /// A perfect wire.
  public init() {}
}
