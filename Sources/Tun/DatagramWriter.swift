internal import Glibc
public import Net
public import SystemPackage

/// A writing side of a `UDPSocket`, with the memory for its system calls.
///
/// It belongs to one thread; a socket may have several.
public struct DatagramWriter: ~Copyable, Sendable {
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

    /// Nothing written.
    public init() {}

    /// Counts `count` datagrams that failed, of which `slot` is the first.
    fileprivate mutating func note(_ error: Errno, from slot: Int, count: Int) {
      failed += count
      self.error = error
      firstFailedSlot = min(firstFailedSlot ?? slot, slot)
    }
  }

  /// The socket that is written to.
  public private(set) var socket: UDPSocket
  private let messages: MessageVector
  private var slots: [Int]

  internal init(_ socket: UDPSocket, capacity: Int) {
    self.socket = socket
    messages = MessageVector(capacity: capacity)
    slots = Array(repeating: 0, count: capacity)
  }

  /// Writes to another socket from now on: the listen port has changed.
  public mutating func move(to socket: UDPSocket) {
    self.socket = socket
  }

  /// Sends the packets to be sent, those of one family in order.
  ///
  /// What the kernel took is `done` afterwards.
  ///
  /// Where the kernel refuses our cached address (1.2.28), the datagram goes again without one. When the socket's buffer
  /// is full the call waits for room, 20 ms at most: so the TUN queue fills up and the senders behind it slow down.
  public mutating func send(_ batch: inout PacketBatch) -> Result {
    var result = Result()
    send(.v4, &batch, &result)
    send(.v6, &batch, &result)
    return result
  }

  private mutating func send(_ family: AddressFamily, _ batch: inout PacketBatch, _ result: inout Result) {
    var index = 0
    while index < batch.count {
      var filled = 0
      while index < batch.count, filled < messages.capacity {
        defer { index += 1 }
        let slot = batch[index]
        guard slot.disposition == .send else { continue }
        guard slot.path != PacketBatch.Slot.noPath else {
          if family == .v4 { result.note(.addressRequired, from: index, count: 1) }
          continue
        }
        let path = batch.path(slot.path)
        guard path.remote.address.family == family else { continue }
        unsafe messages.setPiece(filled, batch.base + Int(slot.offset), count: Int(slot.length))
        messages.prepareToSend(filled, along: path, trafficClass: slot.dscp | slot.ecn)
        slots[filled] = index
        filled += 1
      }
      if filled > 0 { flush(family, count: filled, &batch, &result) }
    }
  }

  private func flush(
    _ family: AddressFamily, count: Int, _ batch: inout PacketBatch, _ result: inout Result
  ) {
    guard let socket = socket.descriptor(family)?.rawValue else {
      result.note(.addressFamilyNotSupported, from: slots[0], count: count)
      return
    }
    var next = 0
    var repeated = -1
    while next < count {
      do {
        let sent = Int(try systemCall { messages.send(to: socket, next..<count) })
        for index in next..<next + sent { batch[slots[index]].disposition = .done }
        result.sent += sent
        next += sent
      } catch {
        let slot = batch[slots[next]]
        let path = batch.path(slot.path)
        if error == .wouldBlock, Self.waitForRoom(socket) {
          continue
        } else if error == .wouldBlock {
          result.note(error, from: slots[next], count: count - next)
          return
        } else if error.isStaleSource, path.local != nil, repeated != next {
          result.firstStaleSlot = result.firstStaleSlot ?? slots[next]
          let free = Path(remote: path.remote)
          messages.prepareToSend(next, along: free, trafficClass: slot.dscp | slot.ecn)
          repeated = next
        } else if error == .connectionRefused, repeated != next {
          // With `IP_RECVERR`, news of an earlier datagram; this one has not been tried.
          repeated = next
        } else {
          result.note(error, from: slots[next], count: 1)
          next += 1
        }
      }
    }
  }

  private static func waitForRoom(_ socket: Int32) -> Bool {
    var request = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
    return unsafe poll(&request, 1, 20) > 0
  }
}

extension Errno {
  /// Whether the kernel may refuse a datagram with this because of the source address that was asked for:
  /// IPv6 and old IPv4 say `EINVAL`, newer IPv4 `ENETUNREACH` (measured on 6.18).
  internal var isStaleSource: Bool {
    switch self {
    case .invalidArgument, .networkUnreachable, .addressNotAvailable, .noRouteToHost: true
    default: false
    }
  }
}
