internal import Net

/// How a packet that the kernel hands over unfinished becomes packets as the network knows them.
///
/// A super-packet of TCP or UDP is cut into segments with headers and checksums of their own; of any other packet the
/// checksum is completed if it is still open. The plan is checked once, against virtio header and packet; after that
/// nothing can fail.
public struct Segmentation: Sendable {
  /// The number of packets it becomes.
  public let count: Int

  private enum Plan {
    case finished
    case openChecksum(start: Int, field: Int)
    case segments(TransportLayout)
  }

  private let plan: Plan
  private let packetLength: Int
  private let segmentSize: Int

  /// Plans for `packet` as `header` describes it; `nil` if they contradict each other.
  public init?(_ header: VirtioHeader, of packet: RawSpan) {
    packetLength = packet.byteCount
    guard header.content != .packet else {
      count = 1
      segmentSize = packetLength
      guard header.needsChecksum else {
        plan = .finished
        return
      }
      let start = Int(header.checksumStart)
      let field = start + Int(header.checksumOffset)
      guard start >= 20, field + 2 <= packetLength else { return nil }
      plan = .openChecksum(start: start, field: field)
      return
    }
    guard let layout = TransportLayout(reading: packet), header.segmentSize > 0 else { return nil }
    switch (header.content, layout.transport, layout.family) {
    case (.tcp4, .tcp, .v4), (.tcp6, .tcp, .v6), (.datagrams, .udp, _): break
    default: return nil
    }
    // The header length is not looked at: for forwarded packets the kernel may mean all that lies in its first buffer.
    guard
      !header.needsChecksum
        || (Int(header.checksumStart) == layout.transportOffset
          && Int(header.checksumOffset) == layout.transport.checksumOffset)
    else { return nil }
    segmentSize = Int(header.segmentSize)
    plan = .segments(layout)
    count = max(1, (packetLength - layout.payloadOffset + segmentSize - 1) / segmentSize)
  }

  /// Octets of packet `index`.
  public func length(_ index: Int) -> Int {
    precondition(index >= 0 && index < count)
    guard case .segments(let layout) = plan else { return packetLength }
    let start = layout.payloadOffset + index * segmentSize
    return layout.payloadOffset + min(segmentSize, packetLength - start)
  }

  /// Writes packet `index` of `packet`, the one planned for, into `length(index)` octets.
  public func write(_ index: Int, of packet: RawSpan, to segment: inout MutableRawSpan) {
    precondition(packet.byteCount == packetLength && segment.byteCount == length(index))
    switch plan {
    case .finished:
      segment.copy(packet, to: 0)
    case .openChecksum(let start, let field):
      segment.copy(packet, to: 0)
      var sum = Checksum()
      sum.add(segment.bytes.extracting(start...))
      // Zero would say that UDP has no checksum.
      segment.set(big16: sum.value == 0 ? 0xFFFF : sum.value, at: field)
    case .segments(let layout):
      let start = layout.payloadOffset + index * segmentSize
      let end = start + segment.byteCount - layout.payloadOffset
      segment.copy(packet.extracting(0..<layout.payloadOffset), to: 0)
      segment.copy(packet.extracting(start..<end), to: layout.payloadOffset)
      finishHeaders(index, layout, of: &segment)
    }
  }

  /// Gives a segment the headers that set it apart from the others.
  private func finishHeaders(_ index: Int, _ layout: TransportLayout, of segment: inout MutableRawSpan) {
    let start = layout.transportOffset
    let length = segment.byteCount - start
    switch layout.family {
    case .v4:
      segment.set(big16: UInt16(truncatingIfNeeded: segment.byteCount), at: 2)
      segment.set(big16: segment.bytes.big16(4) &+ UInt16(truncatingIfNeeded: index), at: 4)
      segment.set(big16: 0, at: 10)
      var sum = Checksum()
      sum.add(segment.bytes.extracting(0..<start))
      segment.set(big16: sum.value, at: 10)
    case .v6:
      segment.set(big16: UInt16(truncatingIfNeeded: segment.byteCount - 40), at: 4)
    }
    switch layout.transport {
    case .tcp:
      let sequence = segment.bytes.big32(start + 4) &+ UInt32(truncatingIfNeeded: index * segmentSize)
      segment.set(big32: sequence, at: start + 4)
      var flags = TCPFlags(rawValue: segment.bytes.byte(start + 13))
      if index > 0 { flags.remove(.congestionWindowReduced) }
      if index < count - 1 { flags.subtract(.ending) }
      segment.set(byte: flags.rawValue, at: start + 13)
    case .udp:
      segment.set(big16: UInt16(truncatingIfNeeded: length), at: start + 4)
    }
    let field = start + layout.transport.checksumOffset
    segment.set(big16: 0, at: field)
    var sum = layout.pseudoHeader(of: segment.bytes, length: length)
    sum.add(segment.bytes.extracting(start...))
    segment.set(big16: sum.value == 0 && layout.transport == .udp ? 0xFFFF : sum.value, at: field)
  }
}
