internal import CLinux
internal import Glibc
public import Net
public import SystemPackage

/// The reading side of a TUN queue.
///
/// It belongs to one thread and is the only reader of its queue.
public struct TunReader: ~Copyable, Sendable {
  /// What a read brought.
  public struct Result: Sendable, Equatable {
    /// Packets now in the batch.
    public var count = 0
    /// Whether the batch is full, so that more may wait.
    public var isFull = false
    /// Whether the device has been deleted: nothing will come any more.
    public var isGone = false
    /// The last failure that was none of the above; the lane goes on.
    public var error: Errno?
  }

  private let queue: TunQueue

  internal init(_ queue: TunQueue) {
    self.queue = queue
  }

  /// The descriptor to watch for reading.
  public var descriptor: FileDescriptor { queue.descriptor.descriptor }

  /// Replaces the batch with the packets that wait, one a buffer, without blocking.
  ///
  /// Packets longer than a buffer arrive cut; their header tells, and the next stage drops them.
  public mutating func read(into batch: inout PacketBatch) -> Result {
    var result = Result()
    batch.removeAll()
    let header = queue.headerLength
    while batch.count < batch.bufferCount {
      let offset = batch.bufferOffset(batch.count)
      let capacity = batch.bufferCapacity
      do throws(Errno) {
        let count = try systemCall {
          unsafe Glibc.read(queue.descriptor.rawValue, batch.base + (offset - header), capacity + header)
        }
        guard count > header else { throw Errno.badDescriptorState }
        batch.append(offset: offset, length: count - header)
      } catch {
        switch error {
        case .wouldBlock: break
        case .badDescriptorState: result.isGone = true
        default: result.error = error
        }
        result.count = batch.count
        return result
      }
    }
    result.count = batch.count
    result.isFull = true
    return result
  }
}
