internal import CLinux
internal import Glibc
public import Net
public import SystemPackage

/// A writing side of a TUN queue.
///
/// It belongs to one thread; a queue may have several.
public struct TunWriter: ~Copyable, Sendable {
  /// What became of the packets of a write.
  public struct Result: Sendable, Equatable {
    /// Packets the host's stack took.
    public var written = 0
    /// Packets it did not take: interface down, no memory, or no IP packet.
    public var dropped = 0
    /// Whether the device has been deleted.
    public var isGone = false
    /// The last reason for a drop.
    public var error: Errno?
  }

  private let queue: TunQueue

  internal init(_ queue: TunQueue) {
    self.queue = queue
  }

  /// Writes the packets to be delivered, in order.
  ///
  /// They are `done` afterwards, written or dropped.
  public mutating func write(_ batch: inout PacketBatch) -> Result {
    var result = Result()
    let header = queue.headerLength
    for index in 0..<batch.count where batch[index].disposition == .deliver {
      let start = Int(batch[index].offset) - header
      let count = Int(batch[index].length) + header
      if header > 0 {
        var room = batch.mutableBytes(at: start, count: header)
        PacketHeader.clear(&room)
      }
      note(&result) { () throws(Errno) in
        _ = try systemCall { unsafe Glibc.write(queue.descriptor.rawValue, batch.base + start, count) }
      }
      batch[index].disposition = .done
    }
    return result
  }

  /// Writes one packet: an ICMP error, or a packet that had waited.
  ///
  /// For slow paths.
  public mutating func write(_ packet: RawSpan) -> Result {
    var result = Result()
    var octets = [UInt8](repeating: 0, count: queue.headerLength)
    for offset in 0..<packet.byteCount { octets.append(packet.byte(offset)) }
    note(&result) { () throws(Errno) in
      _ = try systemCall { unsafe Glibc.write(queue.descriptor.rawValue, octets, octets.count) }
    }
    return result
  }

  @inline(__always)
  private func note(_ result: inout Result, _ write: () throws(Errno) -> Void) {
    do {
      try write()
      result.written += 1
    } catch {
      result.dropped += 1
      result.error = error
      if error == .badDescriptorState { result.isGone = true }
    }
  }
}
