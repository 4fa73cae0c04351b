internal import CLinux
internal import Glibc
public import Net
public import SystemPackage

/// The reading side of a TUN queue.
///
/// It belongs to one thread and is the only reader of its queue.
@safe
public struct TunReader: ~Copyable {
  /// What a read brought.
  public struct Result: Sendable, Equatable {
    /// Packets now in the batch.
    public var count = 0
    /// Packets that contradicted their virtio header or were longer than a batch: they are dropped.
    public var malformed = 0
    /// Whether the batch is full, so that more may wait.
    public var isFull = false
    /// Whether the device has been deleted: nothing will come any more.
    public var isGone = false
    /// The last failure that was none of the above; the lane goes on.
    public var error: Errno?

    /// Nothing read.
    public init() {}
  }

  /// A packet that was read and is not yet in a batch with all its segments.
  private struct Pending {
    var plan: Segmentation
    var length: Int
    var next = 0
  }

  private let queue: TunQueue
  /// What one read fills: the virtio header and the longest packet.
  private let buffer: UnsafeMutableRawBufferPointer
  private var pending: Pending?

  internal init(_ queue: TunQueue) {
    self.queue = queue
    unsafe buffer = .allocate(byteCount: VirtioHeader.limit + 65535 + 1, alignment: 64)
  }

  deinit {
    unsafe buffer.deallocate()
  }

  /// The descriptor to watch for reading.
  public var descriptor: FileDescriptor { queue.descriptor.descriptor }

  /// Replaces the batch with the packets that wait, without blocking.
  ///
  /// A super-packet comes as the packets it stands for; what finds no room comes with the next call.
  public mutating func read(into batch: inout PacketBatch) -> Result {
    var result = Result()
    batch.removeAll()
    while true {
      if pending == nil, batch.count < batch.slotCapacity { readNext(&result) }
      guard var current = pending.take() else { break }
      move(&current, to: &batch)
      guard current.next < current.plan.count else { continue }
      guard batch.count > 0 else {
        // It would never fit.
        result.malformed += 1
        continue
      }
      pending = current
      result.isFull = true
      break
    }
    result.count = batch.count
    result.isFull = result.isFull || batch.count == batch.slotCapacity
    return result
  }

  /// Reads until a packet is pending or none waits.
  private mutating func readNext(_ result: inout Result) {
    let header = queue.headerLength
    while pending == nil {
      do throws(Errno) {
        let count = try systemCall {
          unsafe Glibc.read(queue.descriptor.rawValue, buffer.baseAddress, buffer.count)
        }
        guard count > header else { throw Errno.badDescriptorState }
        if let plan = plan(count: count) {
          pending = Pending(plan: plan, length: count - header)
        } else {
          result.malformed += 1
        }
      } catch {
        switch error {
        case .wouldBlock: break
        case .badDescriptorState: result.isGone = true
        default: result.error = error
        }
        return
      }
    }
  }

  /// What becomes of the `count` octets just read.
  private func plan(count: Int) -> Segmentation? {
    let packet = octets(queue.headerLength..<count)
    guard queue.headerLength > 0 else { return Segmentation(VirtioHeader(), of: packet) }
    guard let header = VirtioHeader(reading: octets(0..<queue.headerLength)) else { return nil }
    return Segmentation(header, of: packet)
  }

  /// Writes as many segments into the batch as find room.
  private func move(_ pending: inout Pending, to batch: inout PacketBatch) {
    let header = queue.headerLength
    let packet = octets(header..<header + pending.length)
    while pending.next < pending.plan.count {
      guard let slot = batch.append(length: pending.plan.length(pending.next)) else { return }
      var segment = batch.mutableBytes(slot)
      pending.plan.write(pending.next, of: packet, to: &segment)
      pending.next += 1
    }
  }

  @_lifetime(borrow self)
  private func octets(_ range: Range<Int>) -> RawSpan {
    let part = unsafe UnsafeRawBufferPointer(rebasing: buffer[range])
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: part), borrowing: self)
  }
}
