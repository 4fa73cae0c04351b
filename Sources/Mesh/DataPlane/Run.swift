internal import Noise

/// Packets of one batch that go through the AEAD together: same keypair, consecutive in the batch but for dropped ones.
///
/// Owned by a transform and used again for every run, so that a steady lane allocates nothing.
@safe
internal struct Run: ~Copyable {
  private let jobs: UnsafeMutableBufferPointer<AEAD.Job>
  private let slots: UnsafeMutableBufferPointer<Int32>
  /// The number of packets.
  private(set) var count = 0

  /// An empty run with room for `capacity` packets.
  init(capacity: Int) {
    unsafe jobs = .allocate(capacity: capacity)
    unsafe slots = .allocate(capacity: capacity)
  }

  deinit {
    unsafe jobs.deallocate()
    unsafe slots.deallocate()
  }

  var isEmpty: Bool { count == 0 }

  mutating func removeAll() { count = 0 }

  /// Adds the packet of a slot.
  mutating func append(slot: Int, _ job: AEAD.Job) {
    precondition(count < jobs.count)
    unsafe jobs.initializeElement(at: count, to: job)
    unsafe slots.initializeElement(at: count, to: Int32(truncatingIfNeeded: slot))
    count += 1
  }

  /// The slot of packet `index`.
  func slot(_ index: Int) -> Int {
    precondition(index >= 0 && index < count)
    return Int(unsafe slots[index])
  }

  /// The job of packet `index`.
  subscript(index: Int) -> AEAD.Job {
    get {
      precondition(index >= 0 && index < count)
      return unsafe jobs[index]
    }
    set {
      precondition(index >= 0 && index < count)
      unsafe jobs[index] = newValue
    }
  }

  /// The jobs in order, for an AEAD batch.
  @unsafe
  var buffer: UnsafeMutableBufferPointer<AEAD.Job> {
    unsafe UnsafeMutableBufferPointer(rebasing: jobs[..<count])
  }
}
