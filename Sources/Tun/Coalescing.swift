public import Net

/// How packets for the host become fewer: those of a flow that follow each other, TCP segments or UDP datagrams, are
/// merged into a super-packet that the kernel takes in one piece.
///
/// The rules are those of the kernel's own receive offload: a merged packet can be cut again into exactly the packets it
/// is made of. Packets of a flow keep their order. Nothing is copied: a super-packet is the first packet with new
/// headers, followed by the payloads of the others. One per thread; nothing here allocates once it has met its largest
/// batch.
public struct Coalescing: ~Copyable {
  /// One packet to be written: a super-packet, or a packet alone.
  public struct Group: Sendable {
    /// What to tell the kernel.
    public internal(set) var header = VirtioHeader()
    /// The slot of the first packet.
    public let first: Int
    /// The number of packets in it.
    public internal(set) var count = 1
    /// Octets of headers, which are left out of each packet but the first.
    public let payloadOffset: Int

    fileprivate var last: Int
    fileprivate var length: Int
    fileprivate var segmentSize = 0
    fileprivate var nextSequence: UInt32 = 0
    fileprivate var lastIdentification: UInt16 = 0
    fileprivate var identificationStep: UInt16?
    fileprivate var isOpen = false
    fileprivate var isVerified = false

    /// A packet that stays alone.
    fileprivate init(slot: Int, length: Int) {
      first = slot
      last = slot
      payloadOffset = 0
      self.length = length
    }

    /// The first packet of a flow, or the next after a gap.
    fileprivate init(slot: Int, _ packet: MergeablePacket, length: Int, isOpen: Bool) {
      first = slot
      last = slot
      payloadOffset = packet.layout.payloadOffset
      self.length = length
      segmentSize = packet.payloadLength
      nextSequence = packet.sequence &+ UInt32(truncatingIfNeeded: packet.payloadLength)
      lastIdentification = packet.identification
      self.isOpen = isOpen && !packet.flags.contains(.push)
    }
  }

  /// Packets in one super-packet at most.
  static let packetLimit = 256
  /// Datagrams in one at most: older kernels take no more.
  private static let datagramLimit = 64
  /// Octets of one super-packet at most.
  private static let lengthLimit = 65535
  /// Flows that are remembered within a batch: a place each, by hash.
  private static let flowLimit = 64

  private let offloads: TunOffloads
  private var groups: [Group] = []
  /// The slot that follows each slot in its super-packet.
  private var following: [Int] = []
  /// The latest group of the flow in each place; -1 for none.
  private var flows = [Int](repeating: -1, count: flowLimit)

  /// Merges what `offloads` name.
  public init(_ offloads: TunOffloads) {
    self.offloads = offloads
  }

  /// The number of packets to write.
  public var count: Int { groups.count }

  /// The packets to write, each in the place of its first one.
  public subscript(index: Int) -> Group { groups[index] }

  /// The slot that follows `slot` in its super-packet; meaningless for the last.
  public func slot(after slot: Int) -> Int { following[slot] }

  /// Groups the packets to be delivered and writes the headers of the super-packets.
  public mutating func gather(_ batch: inout PacketBatch) {
    groups.removeAll(keepingCapacity: true)
    forgetFlows()
    if following.count < batch.slotCapacity {
      following = Array(repeating: -1, count: batch.slotCapacity)
      groups.reserveCapacity(batch.slotCapacity)
    }
    for index in 0..<batch.count where batch[index].disposition == .deliver { add(index, batch) }
    for index in groups.indices where groups[index].count > 1 { Self.finish(&groups[index], &batch) }
  }

  private mutating func add(_ slot: Int, _ batch: borrowing PacketBatch) {
    let packet = batch.bytes(slot)
    guard let mergeable = MergeablePacket(reading: packet) else {
      // It may belong to any flow, a fragment for one: nothing behind it overtakes it.
      forgetFlows()
      groups.append(Group(slot: slot, length: packet.byteCount))
      return
    }
    let mayBeMerged = offloads.merges(mergeable.layout.transport) && mergeable.mayBeMerged(in: packet)
    let place = Int(truncatingIfNeeded: mergeable.flowHash(of: packet)) & (Self.flowLimit - 1)
    let group = flows[place]
    if group >= 0, mayBeMerged, groups[group].isOpen,
      Self.extend(&groups[group], with: mergeable, packet, in: batch)
    {
      following[groups[group].last] = slot
      groups[group].last = slot
      return
    }
    // Whatever the flow had there is closed by being forgotten.
    flows[place] = groups.count
    groups.append(Group(slot: slot, mergeable, length: packet.byteCount, isOpen: mayBeMerged))
  }

  private mutating func forgetFlows() {
    for place in flows.indices { flows[place] = -1 }
  }

  /// Adds a packet to a group if it is the very next of its flow and like the first; `false` leaves the group
  /// as it was.
  private static func extend(
    _ group: inout Group, with next: MergeablePacket, _ packet: RawSpan, in batch: borrowing PacketBatch
  ) -> Bool {
    let firstPacket = batch.bytes(group.first)
    guard let first = MergeablePacket(reading: firstPacket), next.isSameFlow(as: first, packet, firstPacket),
      next.payloadLength <= group.segmentSize,
      next.sequence == group.nextSequence || first.layout.transport == .udp,
      group.length + next.payloadLength <= lengthLimit,
      group.count < (first.layout.transport == .tcp ? packetLimit : datagramLimit),
      next.hasHeaders(like: first, packet, firstPacket)
    else { return false }
    // Cutting counts the identification up. Without DF it means something, so it must have done so; with DF it may stand
    // still as well (RFC 6864 §4.1).
    let step = next.identification &- group.lastIdentification
    if next.layout.family == .v4 {
      let mayStand = firstPacket.byte(6) & 0x40 != 0
      guard step == group.identificationStep ?? step, step == 1 || (step == 0 && mayStand) else {
        return false
      }
    }
    // The kernel will trust the payload of a super-packet.
    guard group.isVerified || first.isIntact(in: firstPacket) else {
      group.isOpen = false
      return false
    }
    group.isVerified = true
    guard next.isIntact(in: packet) else { return false }
    group.count += 1
    group.length += next.payloadLength
    group.nextSequence &+= UInt32(truncatingIfNeeded: next.payloadLength)
    group.lastIdentification = next.identification
    group.identificationStep = step
    group.isOpen = next.payloadLength == group.segmentSize && !next.flags.contains(.push)
    return true
  }

  /// Writes the headers of a super-packet over those of its first packet.
  private static func finish(_ group: inout Group, _ batch: inout PacketBatch) {
    guard let first = MergeablePacket(reading: batch.bytes(group.first)) else { return }
    let layout = first.layout
    let start = layout.transportOffset
    let lastSlot = batch[group.last]
    let flagsOffset = Int(lastSlot.offset) + start + 13
    let isPushed =
      layout.transport == .tcp
      && TCPFlags(rawValue: batch.bytes(at: flagsOffset, count: 1).byte(0)).contains(.push)
    var packet = batch.mutableBytes(group.first)
    let length = group.length - start
    switch layout.family {
    case .v4:
      packet.set(big16: UInt16(group.length), at: 2)
      packet.set(big16: 0, at: 10)
      var sum = Checksum()
      sum.add(packet.bytes.extracting(0..<start))
      packet.set(big16: sum.value, at: 10)
    case .v6:
      packet.set(big16: UInt16(group.length - 40), at: 4)
    }
    switch layout.transport {
    case .tcp:
      if isPushed { packet.set(byte: packet.bytes.byte(start + 13) | TCPFlags.push.rawValue, at: start + 13) }
      group.header.content = layout.family == .v4 ? .tcp4 : .tcp6
      group.header.hasCongestionWindowReduced = first.flags.contains(.congestionWindowReduced)
    case .udp:
      packet.set(big16: UInt16(length), at: start + 4)
      group.header.content = .datagrams
    }
    // The kernel adds the rest to the sum of the pseudo-header.
    let sum = layout.pseudoHeader(of: packet.bytes, length: length)
    packet.set(big16: ~sum.value, at: start + layout.transport.checksumOffset)
    group.header.needsChecksum = true
    group.header.headerLength = UInt16(layout.payloadOffset)
    group.header.segmentSize = UInt16(group.segmentSize)
    group.header.checksumStart = UInt16(start)
    group.header.checksumOffset = UInt16(layout.transport.checksumOffset)
  }
}
