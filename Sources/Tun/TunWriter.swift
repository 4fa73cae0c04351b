internal import CLinux
internal import Glibc
public import Net
public import SystemPackage

/// A writing side of a TUN queue, with the memory for its system calls.
///
/// It belongs to one thread; a queue may have several.
@safe
public struct TunWriter: ~Copyable {
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

    /// Nothing written.
    public init() {}
  }

  private let queue: TunQueue
  private var coalescing: Coalescing
  private let header: UnsafeMutableRawBufferPointer
  private let pieces: UnsafeMutableBufferPointer<iovec>

  internal init(_ queue: TunQueue) {
    self.queue = queue
    coalescing = Coalescing(queue.offloads)
    unsafe header = .allocate(byteCount: VirtioHeader.limit, alignment: 16)
    unsafe header.initializeMemory(as: UInt8.self, repeating: 0)
    // The header, then every packet of a group.
    unsafe pieces = .allocate(capacity: 1 + Coalescing.packetLimit)
    unsafe pieces.initialize(repeating: iovec())
  }

  deinit {
    unsafe header.deallocate()
    unsafe pieces.deallocate()
  }

  /// Writes the packets to be delivered, those of a flow in order and merged where the device takes that.
  ///
  /// They are `done` afterwards, written or dropped.
  public mutating func write(_ batch: inout PacketBatch) -> Result {
    var result = Result()
    coalescing.gather(&batch)
    for index in 0..<coalescing.count {
      let group = coalescing[index]
      var pieceCount = setHeader(group.header)
      var slot = group.first
      for packet in 0..<group.count {
        if packet > 0 { slot = coalescing.slot(after: slot) }
        let skipped = packet > 0 ? group.payloadOffset : 0
        let start = unsafe batch.base + Int(batch[slot].offset) + skipped
        unsafe pieces[pieceCount] = iovec(iov_base: start, iov_len: Int(batch[slot].length) - skipped)
        pieceCount += 1
        batch[slot].disposition = .done
      }
      write(pieceCount, packetCount: group.count, &result)
    }
    return result
  }

  /// Writes one packet: an ICMP error, or a packet that had waited.
  ///
  /// For slow paths.
  public mutating func write(_ packet: RawSpan) -> Result {
    var result = Result()
    let pieceCount = setHeader(VirtioHeader())
    unsafe packet.withUnsafeBytes {
      unsafe pieces[pieceCount] = iovec(
        iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
      write(pieceCount + 1, packetCount: 1, &result)
    }
    return result
  }

  /// Makes the virtio header the first piece, if the device has one; returns the number of pieces so far.
  private func setHeader(_ value: VirtioHeader) -> Int {
    guard queue.headerLength > 0 else { return 0 }
    // The kernel reads the length that was agreed, zero behind what we know.
    var span = unsafe MutableRawSpan(_unsafeBytes: header)
    value.write(to: &span)
    unsafe pieces[0] = iovec(iov_base: header.baseAddress, iov_len: queue.headerLength)
    return 1
  }

  private func write(_ pieceCount: Int, packetCount: Int, _ result: inout Result) {
    do {
      _ = try systemCall { unsafe writev(queue.descriptor.rawValue, pieces.baseAddress, Int32(pieceCount)) }
      result.written += packetCount
    } catch {
      result.dropped += packetCount
      result.error = error
      if error == .badDescriptorState { result.isGone = true }
    }
  }
}
