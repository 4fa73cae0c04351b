internal import Glibc
public import Net
public import SystemPackage

/// The reading side of a `UDPSocket`, with the memory for its system calls.
///
/// It belongs to one thread.
public struct DatagramReader: ~Copyable {
  /// What a read brought.
  public struct Result: Sendable, Equatable {
    /// Datagrams now in the batch.
    public var count = 0
    /// Messages that were longer than a buffer, and the ends of trains of too many datagrams: they are dropped.
    public var truncated = 0
    /// Calls that failed; the lane goes on.
    public var failures = 0
    /// Whether the batch is full, so that more may wait.
    public var isFull = false
    /// The last failure.
    public var error: Errno?

    /// Nothing read.
    public init() {}
  }

  /// The socket that is read.
  public private(set) var socket: UDPSocket
  private let messages: MessageVector
  private var first = AddressFamily.v6

  internal init(_ socket: UDPSocket, capacity: Int) {
    self.socket = socket
    messages = MessageVector(capacity: capacity)
  }

  /// Reads another socket from now on: the listen port has changed.
  ///
  /// The old one closes with its last user.
  public mutating func move(to socket: UDPSocket) {
    self.socket = socket
  }

  /// Replaces the batch with the datagrams that wait, without blocking.
  ///
  /// Each slot has its path and its ECN bits. The datagrams of a train lie one right behind the other in one buffer.
  ///
  /// The families take turns at being first, so that a flood on one does not starve the other.
  public mutating func receive(into batch: inout PacketBatch) -> Result {
    var result = Result()
    batch.removeAll()
    var buffer = 0
    first = first == .v4 ? .v6 : .v4
    receive(first, into: &batch, from: &buffer, &result)
    receive(first == .v4 ? .v6 : .v4, into: &batch, from: &buffer, &result)
    result.count = batch.count
    result.isFull = buffer == batch.bufferCount
    return result
  }

  private func receive(
    _ family: AddressFamily, into batch: inout PacketBatch, from buffer: inout Int, _ result: inout Result
  ) {
    guard let socket = socket.descriptor(family)?.rawValue else { return }
    // A failure is an ICMP error that the kernel reports once; a few in a row must not hold the lane.
    var attempts = 4
    while buffer < batch.bufferCount, attempts > 0 {
      let room = min(batch.bufferCount - buffer, messages.capacity)
      for index in 0..<room {
        unsafe messages.setPiece(
          index, batch.base + batch.bufferOffset(buffer + index), count: batch.bufferCapacity)
        messages.prepareToReceive(index)
      }
      do {
        let count = Int(try systemCall { messages.receive(from: socket, count: room) })
        for index in 0..<count { take(index, at: batch.bufferOffset(buffer + index), into: &batch, &result) }
        buffer += count
        guard count == room else { return }
      } catch {
        guard error != .wouldBlock else { return }
        result.failures += 1
        result.error = error
        attempts -= 1
      }
    }
  }

  private func take(
    _ index: Int, at offset: Int, into batch: inout PacketBatch, _ result: inout Result
  ) {
    guard let length = messages.length(index), let remote = messages.name(index) else {
      result.truncated += 1
      return
    }
    let control = messages.control(index)
    let path = batch.append(Path(remote: remote, local: control.local, interface: control.interface))
    let ecn = control.trafficClass & 3
    let step = min(control.segmentSize ?? length, length)
    var start = 0
    repeat {
      guard batch.count < batch.slotCapacity else {
        result.truncated += 1
        return
      }
      batch.append(offset: offset + start, length: min(step, length - start), path: path, ecn: ecn)
      start += step
    } while start < length
  }
}
