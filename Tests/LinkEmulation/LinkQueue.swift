import DequeModule
public import Net

/// One direction of a link: a transmitter with a finite queue, then a way that takes time and loses frames.
///
/// It has no clock: every call says what time it is, and times never go back.
public struct LinkQueue: Sendable {
  private struct Waiting {
    let frame: EthernetFrame
    let arrival: Instant
  }

  private struct Travelling {
    let frame: EthernetFrame
    let due: Instant
  }

  /// What happens to the frames.
  ///
  /// A change holds for all that have not left the queue. When the direction goes down, those on their way are lost too.
  public var impairment = Impairment() {
    didSet { if impairment.isDown { loseAll() } }
  }
  /// What has passed.
  public internal(set) var counters = LinkCounters()

  private var random: SplitMix64
  private var waiting: Deque<Waiting> = []
  private var waitingOctets = 0
  /// When the transmitter finished its last frame; not in the future.
  private var transmitterFree = Instant.zero
  /// In the order of arrival.
  private var travelling: Deque<Travelling> = []

  /// An empty queue whose luck follows from `seed`.
  public init(seed: UInt64) {
    random = SplitMix64(seed: seed)
  }

  /// Starts the luck anew.
  public mutating func reseed(_ seed: UInt64) {
    random = SplitMix64(seed: seed)
  }

  /// Takes a frame that goes this way.
  public mutating func send(_ frame: EthernetFrame, at now: Instant) {
    transmit(until: now)
    guard !impairment.isDown else {
      counters.drop(.down)
      return
    }
    guard impairment.rate == nil || waitingOctets + frame.octets.count <= impairment.queue else {
      counters.drop(.queue)
      return
    }
    waiting.append(Waiting(frame: frame, arrival: now))
    waitingOctets += frame.octets.count
    transmit(until: now)
  }

  /// The next frame that has arrived; `nil` if there is none yet.
  public mutating func next(at now: Instant) -> EthernetFrame? {
    transmit(until: now)
    guard let first = travelling.first, first.due <= now else { return nil }
    travelling.removeFirst()
    counters.delivered += 1
    counters.lateness.add(first.due.duration(to: now))
    return first.frame
  }

  /// When `next` is worth a call; never later than a frame is due.
  public var deadline: Instant {
    let arrival = travelling.first?.due ?? .distantFuture
    guard let first = waiting.first else { return arrival }
    // Transmission is made up for when it matters; so the queue costs no wake-ups of its own.
    let shortest = max(impairment.delay - impairment.jitter, .zero)
    return min(arrival, end(of: first).advanced(by: shortest))
  }

  /// Puts the frames on their way whose last bit has left.
  private mutating func transmit(until now: Instant) {
    while let first = waiting.first {
      let end = end(of: first)
      guard end <= now else { return }
      waiting.removeFirst()
      waitingOctets -= first.frame.octets.count
      transmitterFree = end
      depart(first.frame, at: max(end, first.arrival))
    }
  }

  /// When the transmitter is done with the first frame of the queue; with tokens in the bucket that is before it came.
  private func end(of first: Waiting) -> Instant {
    guard let rate = impairment.rate else { return max(first.arrival, transmitterFree) }
    let bucketFull = first.arrival.advanced(by: .zero - Self.time(impairment.burst, at: rate))
    let start = max(transmitterFree, bucketFull)
    return start.advanced(by: Self.time(first.frame.octets.count, at: rate))
  }

  private static func time(_ octets: Int, at rate: Int) -> Duration {
    .nanoseconds(Int64(Double(octets) * 8e9 / Double(rate)))
  }

  private mutating func depart(_ frame: EthernetFrame, at departure: Instant) {
    // Two draws for every frame, whatever becomes of it: one setting does not change the luck of another.
    let luck = Double.random(in: 0..<1, using: &random)
    let shift = Double.random(in: -1...1, using: &random)
    guard luck >= impairment.loss else {
      counters.drop(.loss)
      return
    }
    let jitter = Duration.nanoseconds(Int64(shift * Double(impairment.jitter.nanoseconds)))
    var due = departure.advanced(by: max(impairment.delay + jitter, .zero))
    var place = travelling.endIndex
    if impairment.mayReorder {
      while place > 0, travelling[place - 1].due > due { place -= 1 }
    } else if let last = travelling.last {
      due = max(due, last.due)
    }
    travelling.insert(Travelling(frame: frame, due: due), at: place)
  }

  private mutating func loseAll() {
    counters.drop(.down, count: waiting.count + travelling.count)
    waiting.removeAll()
    waitingOctets = 0
    travelling.removeAll()
  }
}
