/// The packets of one turn of a lane: one slab of memory, and a slot for each packet found in it.
///
/// Memory has two levels. A *buffer* is what one system call fills with one message. A *slot* is one packet: an offset and
/// a length somewhere in the slab. A train of datagrams from UDP GRO is several slots over one buffer; the packets of a
/// super-packet from the TUN lie one behind the other as `append(length:)` places them. Nothing above this type can tell.
///
/// A packet has at least `headroom` octets before it and `tailroom` after it, so that it is sealed where it lies; inside
/// a train, what it came in: a data header before and a tag behind, so that it is opened and sealed again in place. A batch belongs to one thread for life and is handed down as `inout`.
@safe
public struct PacketBatch: ~Copyable {
  /// Octets free before each packet: the 16 of a data header, and a virtio header before an opened packet.
  public static let headroom = 64
  /// Octets free behind each packet: padding to 16 and the authentication tag.
  public static let tailroom = 64

  /// What becomes of a packet.
  @frozen
  public enum Disposition: UInt8, Sendable, BitwiseCopyable {
    /// Nobody has decided yet.
    case pending
    /// Sealed; goes to the UDP socket along its path.
    case send
    /// Opened; goes to the TUN device.
    case deliver
    /// Opened; goes to `peer`, to be sealed again.
    case relay
    /// Copied out for the control thread, or counted as dropped: the lane is done with it.
    case done
  }

  /// One packet.
  @frozen
  public struct Slot: Sendable, BitwiseCopyable {
    /// Where the packet starts in the slab.
    public var offset: UInt32
    /// Octets of the packet.
    public var length: UInt32
    /// The nonce counter reserved or read for it.
    public var counter: UInt64 = 0
    /// The index of the peer it comes from or goes to, as the stage that looks it up says.
    public var peer: UInt32 = 0
    /// The index of its path in the batch; `noPath` before one is known.
    public var path: UInt16 = Slot.noPath
    /// The two ECN bits of the outer header, as received or to be sent.
    public var ecn: UInt8 = 0
    /// DSCP and ECN to send when the packet is a handshake message; data shows no inner DSCP.
    public var dscp: UInt8 = 0
    /// What becomes of it.
    public var disposition: Disposition = .pending

    /// No path yet.
    public static let noPath = UInt16.max

    @inlinable
    init(offset: Int, length: Int) {
      self.offset = UInt32(truncatingIfNeeded: offset)
      self.length = UInt32(truncatingIfNeeded: length)
    }
  }

  /// The number of buffers.
  public let bufferCount: Int
  /// Octets one message may have.
  public let bufferCapacity: Int
  /// How many packets the batch can name.
  public let slotCapacity: Int
  /// The number of packets in the batch.
  public private(set) var count = 0
  /// The number of paths in the batch.
  public private(set) var pathCount = 0
  /// Where `append(length:)` goes on.
  private var end = 0

  @usableFromInline
  internal let slab: UnsafeMutableRawBufferPointer
  @usableFromInline
  internal let slots: UnsafeMutableBufferPointer<Slot>
  private let paths: UnsafeMutableBufferPointer<Path>
  private let stride: Int

  /// Allocates `bufferCount` buffers for messages of up to `bufferCapacity` octets, and names for `slotsPerBuffer`
  /// packets in each.
  public init(bufferCount: Int, bufferCapacity: Int, slotsPerBuffer: Int = 1) {
    precondition(bufferCount > 0 && bufferCapacity > 0 && slotsPerBuffer > 0)
    precondition(2 * bufferCount * slotsPerBuffer < Int(Slot.noPath))
    self.bufferCount = bufferCount
    self.bufferCapacity = bufferCapacity
    slotCapacity = bufferCount * slotsPerBuffer
    // Whole cache lines, so that no packet shares one with its neighbour.
    stride = (Self.headroom + bufferCapacity + Self.tailroom + 63) & ~63
    unsafe slab = .allocate(byteCount: stride * bufferCount, alignment: 64)
    unsafe slots = .allocate(capacity: slotCapacity)
    // A relayed packet has two: the one it came along and the one it leaves by.
    unsafe paths = .allocate(capacity: 2 * slotCapacity)
  }

  deinit {
    unsafe slab.deallocate()
    unsafe slots.deallocate()
    unsafe paths.deallocate()
  }

  /// Forgets all packets and paths.
  public mutating func removeAll() {
    count = 0
    pathCount = 0
    end = 0
  }

  /// The offset at which buffer `index` starts taking a message.
  @inlinable
  public func bufferOffset(_ index: Int) -> Int {
    precondition(index >= 0 && index < bufferCount)
    return index * ((Self.headroom + bufferCapacity + Self.tailroom + 63) & ~63) + Self.headroom
  }

  /// Names a packet; the returned index is valid until `removeAll`.
  @discardableResult
  public mutating func append(offset: Int, length: Int, path: UInt16 = Slot.noPath, ecn: UInt8 = 0) -> Int {
    precondition(count < slotCapacity && offset >= 0 && length >= 0 && offset + length <= byteCount)
    var slot = Slot(offset: offset, length: length)
    slot.path = path
    slot.ecn = ecn
    unsafe slots.initializeElement(at: count, to: slot)
    count += 1
    return count - 1
  }

  /// Names a packet of `length` octets, still to be written, behind the last one placed so; `nil` if the slab or the slots
  /// are full.
  ///
  /// For packets whose number and size nobody knew before they came. It regards no buffers, so a batch is filled either
  /// this way or the others.
  public mutating func append(length: Int) -> Int? {
    let start = end + Self.headroom
    guard count < slotCapacity, length >= 0, start + length + Self.tailroom <= byteCount else { return nil }
    end = (start + length + Self.tailroom + 63) & ~63
    return append(offset: start, length: length)
  }

  /// Copies a packet into the next free buffer and names it; `nil` if it does not fit.
  ///
  /// For slow paths: one packet a buffer.
  public mutating func append(copying packet: RawSpan) -> Int? {
    guard count < bufferCount, packet.byteCount <= bufferCapacity else { return nil }
    let offset = bufferOffset(count)
    unsafe packet.withUnsafeBytes { source in
      unsafe UnsafeMutableRawBufferPointer(rebasing: slab[offset..<offset + source.count]).copyMemory(
        from: source)
    }
    return append(offset: offset, length: packet.byteCount)
  }

  /// Adds a path that slots can refer to; the last one is found again without a search.
  public mutating func append(_ path: Path) -> UInt16 {
    if pathCount > 0, (unsafe paths[pathCount - 1]) == path { return UInt16(pathCount - 1) }
    precondition(pathCount < 2 * slotCapacity)
    unsafe paths.initializeElement(at: pathCount, to: path)
    pathCount += 1
    return UInt16(pathCount - 1)
  }

  /// The path with this index.
  public func path(_ index: UInt16) -> Path {
    precondition(Int(index) < pathCount)
    return unsafe paths[Int(index)]
  }

  /// The slot with this index, to read and to change.
  @inlinable
  public subscript(index: Int) -> Slot {
    get {
      precondition(index >= 0 && index < count)
      return unsafe slots[index]
    }
    set {
      precondition(index >= 0 && index < count && Int(newValue.offset) + Int(newValue.length) <= byteCount)
      unsafe slots[index] = newValue
    }
  }

  /// The octets of packet `index`.
  @inlinable
  @_lifetime(borrow self)
  public func bytes(_ index: Int) -> RawSpan {
    let slot = self[index]
    return bytes(at: Int(slot.offset), count: Int(slot.length))
  }

  /// `count` octets of the slab from `offset` on: a packet with its headroom, or what follows it.
  @inlinable
  @_lifetime(borrow self)
  public func bytes(at offset: Int, count: Int) -> RawSpan {
    precondition(offset >= 0 && count >= 0 && offset + count <= byteCount)
    let part = unsafe UnsafeRawBufferPointer(rebasing: slab[offset..<offset + count])
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: part), borrowing: self)
  }

  /// The octets of packet `index`, to change.
  @inlinable
  @_lifetime(&self)
  public mutating func mutableBytes(_ index: Int) -> MutableRawSpan {
    let slot = self[index]
    return mutableBytes(at: Int(slot.offset), count: Int(slot.length))
  }

  /// `count` octets of the slab from `offset` on, to change.
  @inlinable
  @_lifetime(&self)
  public mutating func mutableBytes(at offset: Int, count: Int) -> MutableRawSpan {
    precondition(offset >= 0 && count >= 0 && offset + count <= byteCount)
    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: slab[offset..<offset + count])
    return unsafe _overrideLifetime(MutableRawSpan(_unsafeBytes: part), mutating: &self)
  }

  /// The start of the slab, for system calls and AEAD batches; valid as long as the batch.
  @unsafe
  @inlinable
  public var base: UnsafeMutableRawPointer {
    // An allocation of at least one buffer always has an address.
    unsafe slab.baseAddress.unsafelyUnwrapped
  }

  /// Octets in the slab.
  @inlinable
  public var byteCount: Int { unsafe slab.count }
}
