internal import Glibc
public import Net
public import SystemPackage

/// A writing side of a `UDPSocket`, with the memory for its system calls.
///
/// It belongs to one thread; a socket may have several.
public struct DatagramWriter: ~Copyable {
  /// What became of the datagrams of a write.
  public struct Result: Sendable, Equatable {
    /// Datagrams the kernel took.
    public var sent = 0
    /// Datagrams it did not take; their slots still say `send`.
    public var failed = 0
    /// The last failure.
    public var error: Errno?
    /// The first slot that failed.
    public var firstFailedSlot: Int?
    /// The first slot whose own address is ours no longer, or does not fit the route.
    ///
    /// It was sent from another: the peer's cached path should forget its local side.
    public var firstStaleSlot: Int?
    /// The first slot of each path that is none: no route, a forbidden one, a device that is down, an address that is not
    /// ours, a family without a socket.
    ///
    /// A few at most: packets that follow meet the same error. Nothing is allocated while there is none.
    public var unreachableSlots: [Int] = []

    /// Nothing written.
    public init() {}

    /// Counts `count` datagrams that failed, of which `slot` is the first.
    fileprivate mutating func note(_ error: Errno, from slot: Int, count: Int) {
      failed += count
      self.error = error
      firstFailedSlot = min(firstFailedSlot ?? slot, slot)
    }

    /// Whether the path of `slot` is known to be none.
    fileprivate func isUnreachable(_ slot: Int, of batch: borrowing PacketBatch) -> Bool {
      for known in unreachableSlots where batch.path(batch[known].path) == batch.path(batch[slot].path) {
        return true
      }
      return false
    }

    /// Notes that the path of `slot` is none.
    fileprivate mutating func noteUnreachable(_ slot: Int, of batch: borrowing PacketBatch) {
      guard unreachableSlots.count < DatagramWriter.unreachableLimit, !isUnreachable(slot, of: batch) else {
        return
      }
      unreachableSlots.append(slot)
    }
  }

  /// Datagrams of one message at most: older kernels take no more.
  private static let trainLimit = 64
  /// Octets of one message at most: what IPv4 can say with its header and UDP's.
  private static let trainByteLimit = 65535 - 60 - 8

  /// Waits before a message is given up though there is room: another lane may be quicker to take it, and some reasons for
  /// `EAGAIN` are no lack of room at all (IPsec without keys yet).
  private static let waitLimit = 4

  /// How often a message is repeated before its failure counts as its own.
  ///
  /// With `IP_RECVERR` an ICMP error about any earlier datagram is returned, once, by whatever call comes next, with the
  /// very numbers that a refused datagram has. One repetition tells them apart, but for a flood of ICMP, in which the next
  /// error may come in between.
  private static let repetitionLimit = 3

  /// Paths of one write that are reported as none.
  private static let unreachableLimit = 8

  /// One message to be: consecutive datagrams to one place, of one size but for the last.
  private struct Train {
    var pieces: Range<Int>
    var path: UInt16
    var trafficClass: UInt8
    var segmentSize: Int
    var byteCount: Int
    var isOpen: Bool

    init(_ slot: PacketBatch.Slot, piece: Int, isOpen: Bool) {
      pieces = piece..<piece + 1
      path = slot.path
      trafficClass = slot.dscp | slot.ecn
      segmentSize = Int(slot.length)
      byteCount = segmentSize
      self.isOpen = isOpen
    }

    /// Adds the datagram if it fits in.
    mutating func append(_ slot: PacketBatch.Slot) -> Bool {
      let length = Int(slot.length)
      guard isOpen, slot.path == path, slot.dscp | slot.ecn == trafficClass, length <= segmentSize,
        length > 0,
        pieces.count < trainLimit, byteCount + length <= trainByteLimit
      else { return false }
      pieces = pieces.lowerBound..<pieces.upperBound + 1
      byteCount += length
      // A shorter datagram can only be the last.
      isOpen = length == segmentSize
      return true
    }
  }

  /// The socket that is written to.
  public private(set) var socket: UDPSocket
  private let messages: MessageVector
  private var trains: [Train] = []
  /// The slot of each piece.
  private var slots: [Int]
  /// What the packets at hand must not be subjected to.
  private var restraint = Restraint()

  /// What a probe of a path cannot bear, since it would tell about something else.
  private struct Restraint {
    /// To be sent from another address than its path's.
    var keepsSource = false
    /// To be cut into fragments.
    var staysWhole = false
  }

  internal init(_ socket: UDPSocket, capacity: Int) {
    self.socket = socket
    messages = MessageVector(capacity: capacity, pieceCapacity: capacity * 16)
    trains.reserveCapacity(capacity)
    slots = Array(repeating: 0, count: messages.pieceCapacity)
  }

  /// Writes to another socket from now on: the listen port has changed.
  public mutating func move(to socket: UDPSocket) {
    self.socket = socket
  }

  /// Sends the packets to be sent, those of one family in order.
  ///
  /// What the kernel took is `done` afterwards. Consecutive packets of one path and size go as one train, if the socket
  /// has segmentation; a train that is refused goes again as single datagrams.
  ///
  /// Where the kernel refuses our cached address (1.2.28), the datagram goes again without one. When the socket's buffer
  /// is full the call waits for room, 20 ms at most: so the TUN queue fills up and the senders behind it slow down.
  public mutating func send(_ batch: inout PacketBatch) -> Result {
    var result = Result()
    send(.v4, &batch, &result)
    send(.v6, &batch, &result)
    return result
  }

  /// Sends packets that are to tell about their own path: otherwise as `send`.
  ///
  /// None is sent from another address: a path whose own is ours no longer is one of the `unreachableSlots`. Unless it
  /// `mayFragment`, none is cut either, here or on its way, whatever the kernel believes of the path: one that is longer
  /// than the interface's MTU fails with `EMSGSIZE`, and the socket's `ErrorQueue` tells that MTU.
  ///
  /// The last is a property of the socket, since IPv4 knows no other way; so it holds for all threads while the call lasts,
  /// some microseconds. What a lane sends then goes whole as well: it fails if it is longer than the interface's MTU, and
  /// may be lost if it is longer than the path's. Probes of that kind are to be rare.
  public mutating func probe(_ batch: inout PacketBatch, mayFragment: Bool) -> Result {
    restraint = Restraint(keepsSource: true, staysWhole: !mayFragment)
    defer { restraint = Restraint() }
    return send(&batch)
  }

  private mutating func send(_ family: AddressFamily, _ batch: inout PacketBatch, _ result: inout Result) {
    let family = (name: family, socket: socket.socket(family))
    var segments = family.socket?.offloads.segmentation ?? false
    var index = 0
    // Slots before this one go alone: their train was refused.
    var aloneBefore = 0
    while index < batch.count {
      trains.removeAll(keepingCapacity: true)
      var pieceCount = 0
      while index < batch.count, pieceCount < messages.pieceCapacity {
        let slot = batch[index]
        guard slot.disposition == .send, Self.belongs(index, slot, batch, to: family.name, &result) else {
          index += 1
          continue
        }
        if trains.isEmpty || !trains[trains.count - 1].append(slot) {
          guard trains.count < messages.capacity else { break }
          trains.append(Train(slot, piece: pieceCount, isOpen: segments && index >= aloneBefore))
        }
        unsafe messages.setPiece(pieceCount, batch.base + Int(slot.offset), count: Int(slot.length))
        slots[pieceCount] = index
        pieceCount += 1
        index += 1
      }
      guard let refused = flush(family.socket, pieceCount: pieceCount, &batch, &result) else { continue }
      segments = family.socket?.offloads.segmentation ?? false
      index = slots[refused.lowerBound]
      aloneBefore = slots[refused.upperBound - 1] + 1
    }
  }

  /// Whether a packet to be sent goes out by this family's socket.
  private static func belongs(
    _ index: Int, _ slot: PacketBatch.Slot, _ batch: borrowing PacketBatch, to family: AddressFamily,
    _ result: inout Result
  ) -> Bool {
    guard slot.path != PacketBatch.Slot.noPath else {
      if family == .v4 { result.note(.addressRequired, from: index, count: 1) }
      return false
    }
    return batch.path(slot.path).remote.address.family == family
  }

  /// Sends the trains; returns the pieces of one that was refused, which is where to go on.
  private func flush(
    _ socket: FamilySocket?, pieceCount: Int, _ batch: inout PacketBatch, _ result: inout Result
  ) -> Range<Int>? {
    guard pieceCount > 0 else { return nil }
    guard let socket else {
      result.note(.addressFamilyNotSupported, from: slots[0], count: pieceCount)
      for train in trains { result.noteUnreachable(slots[train.pieces.lowerBound], of: batch) }
      return nil
    }
    if restraint.staysWhole {
      do {
        try socket.setMayFragment(false)
      } catch {
        result.note(error, from: slots[0], count: pieceCount)
        return nil
      }
    }
    // What a moment ago was possible is possible again.
    defer { if restraint.staysWhole { try? socket.setMayFragment(true) } }
    for index in trains.indices { prepare(index, along: batch.path(trains[index].path)) }
    var next = 0
    // About the train that is next.
    var repetitions = 0
    var hasForgottenSource = false
    var waits = 0
    while next < trains.count {
      do {
        let sent = Int(
          try systemCall { messages.send(to: socket.descriptor.rawValue, next..<trains.count) })
        for train in trains[next..<next + sent] {
          for piece in train.pieces { batch[slots[piece]].disposition = .done }
          result.sent += train.pieces.count
        }
        next += sent
        (repetitions, hasForgottenSource, waits) = (0, false, 0)
      } catch {
        let train = trains[next]
        let first = slots[train.pieces.lowerBound]
        if error == .wouldBlock, waits < Self.waitLimit {
          waits += 1
          guard Self.waitForRoom(socket.descriptor.rawValue) else {
            result.note(error, from: first, count: pieceCount - train.pieces.lowerBound)
            return nil
          }
        } else if error != .wouldBlock, repetitions < Self.repetitionLimit,
          !result.isUnreachable(first, of: batch)
        {
          repetitions += 1
        } else if train.pieces.count > 1 {
          // A device without checksum offload refuses every train (EIO), a smaller path MTU the large ones.
          if error == .ioError { socket.stopSegmentation() }
          return train.pieces
        } else if error.isStaleSource, batch.path(train.path).local != nil,
          !hasForgottenSource, !restraint.keepsSource
        {
          result.firstStaleSlot = result.firstStaleSlot ?? first
          prepare(next, along: Path(remote: batch.path(train.path).remote))
          hasForgottenSource = true
          repetitions = 0
        } else {
          if error.meansUnreachable { result.noteUnreachable(first, of: batch) }
          result.note(error, from: first, count: 1)
          next += 1
          (repetitions, hasForgottenSource, waits) = (0, false, 0)
        }
      }
    }
    return nil
  }

  private func prepare(_ index: Int, along path: Path) {
    let train = trains[index]
    messages.prepareToSend(
      index, train.pieces, along: path, trafficClass: train.trafficClass,
      segmentSize: train.pieces.count > 1 ? train.segmentSize : nil)
  }

  private static func waitForRoom(_ socket: Int32) -> Bool {
    var request = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
    return unsafe poll(&request, 1, 20) > 0
  }
}
