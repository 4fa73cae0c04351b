public import Net

/// A link between two interfaces: what each direction does to frames, and perhaps an address translator at end a.
///
/// It has no clock and no interfaces: every call says what time it is, and times never go back.
public struct EmulatedLink: Sendable {
  /// From a to b.
  public private(set) var ab: LinkQueue
  /// From b to a.
  public private(set) var ba: LinkQueue
  /// The translator; `nil` if there is none.
  public var translator: AddressTranslator?

  /// A perfect wire whose luck, once it gets worse, follows from `seed`.
  public init(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    ab = LinkQueue(seed: random.next())
    ba = LinkQueue(seed: random.next())
  }

  /// One direction.
  public subscript(direction: Direction) -> LinkQueue {
    get { direction == .ab ? ab : ba }
    _modify { if direction == .ab { yield &ab } else { yield &ba } }
  }

  /// Takes a frame from the interface at `end`.
  public mutating func receive(_ frame: EthernetFrame, at end: LinkEnd, now: Instant) {
    let direction = Direction(from: end)
    self[direction].counters.received += 1
    guard !self[direction].impairment.isDown else {
      self[direction].counters.drop(.down)
      return
    }
    switch translate(frame, direction, now) {
    case .pass(let translated): fit(translated, original: frame, direction, now)
    case .answer(let answer): self[direction.reverse].send(answer, at: now)
    case .drop: self[direction].counters.drop(.nat)
    }
  }

  /// The next frame that leaves by the interface at `end`; `nil` if there is none yet.
  public mutating func next(for end: LinkEnd, now: Instant) -> EthernetFrame? {
    self[Direction(from: end.other)].next(at: now)
  }

  /// When the next call of `next` is due.
  public var deadline: Instant { min(ab.deadline, ba.deadline) }

  /// Says that the interface at `end` did not take the frame that was handed out last.
  public mutating func countRefusal(at end: LinkEnd) {
    self[Direction(from: end.other)].counters.countRefusal()
  }

  private mutating func translate(
    _ frame: EthernetFrame, _ direction: Direction, _ now: Instant
  ) -> AddressTranslator.Outcome {
    switch direction {
    case .ab: translator?.translateOutbound(frame, at: now) ?? .pass(frame)
    case .ba: translator?.translateInbound(frame, at: now) ?? .pass(frame)
    }
  }

  private mutating func fit(
    _ frame: EthernetFrame, original: EthernetFrame, _ direction: Direction, _ now: Instant
  ) {
    let impairment = self[direction].impairment
    guard let mtu = impairment.mtu, Bottleneck(mtu: mtu).blocks(frame) else {
      self[direction].send(frame, at: now)
      return
    }
    let outcome = impairment.isRouter ? Bottleneck(mtu: mtu).route(frame, original: original) : .silence
    switch outcome {
    case .fragments(let fragments):
      for fragment in fragments { self[direction].send(fragment, at: now) }
    case .answer(let answer):
      self[direction].counters.drop(.mtu)
      self[direction.reverse].send(answer, at: now)
    case .silence:
      self[direction].counters.drop(.mtu)
    }
  }
}
