import Mesh
import Net
import SystemPackage
import Tun

/// The lane from the sockets to the TUN device, and back to the sockets for transit: receive, open and check,
/// deliver or seal again.
///
/// One thread, run to completion.
struct Ingress: ~Copyable {
  /// Messages of one turn, each a datagram or a train.
  private static var batchSize: Int { 16 }
  /// Octets of one message: the longest that UDP can carry.
  private static var bufferCapacity: Int { 65535 }
  /// Datagrams of one train at most; the kernel makes no longer ones.
  private static var trainLimit: Int { 128 }
  /// System calls for errors in a row, of 64 each: as many as keep a flood of them from the room of datagrams, and no more
  /// than leave the lane its time.
  private static var errorCallLimit: Int { 4 }

  private let plane: DataPlane
  private let link: LaneLink
  private let index: Int
  private let clock = SystemClock()
  private var tables: Published<ForwardingTable>.Reader
  private var sockets: Published<[UDPSocket]>.Reader
  private var receiver: DatagramReader
  private let errors = ErrorQueue()
  private var sender: DatagramWriter
  private var writer: TunWriter
  private var inbound: Inbound
  private var outbound: Outbound
  private var batch: PacketBatch
  private var poller: Poller<LaneToken>

  /// Makes the lane with this number; to be called in its thread.
  init(_ plane: DataPlane, index: Int) throws {
    let link = plane.links[plane.laneCount + index]
    var sockets = plane.sockets.reader()
    let socket = sockets.current()[index]
    let poller = try Poller<LaneToken>()
    try poller.add(link.wakeup.descriptor, as: .wakeup)
    try Self.watch(socket, poller)
    self.plane = plane
    self.index = index
    self.link = link
    self.sockets = sockets
    self.poller = poller
    tables = plane.tables.reader()
    receiver = socket.reader(capacity: Self.batchSize)
    sender = socket.writer()
    writer = plane.tun.writer(ofQueue: index)
    inbound = Inbound(events: link.events, drops: link.drops)
    outbound = Outbound(events: link.events, drops: link.drops)
    batch = PacketBatch(
      bufferCount: Self.batchSize, bufferCapacity: Self.bufferCapacity, slotsPerBuffer: Self.trainLimit)
  }

  /// Moves packets until the daemon stops.
  mutating func run() throws {
    while !plane.isStopping {
      try poller.wait(atMost: nil)
      for event in poller.events where event.token == .wakeup {
        link.wakeup.clear()
        _ = tables.current()
        try follow(sockets.current()[index])
      }
      for event in poller.events where event.token != .wakeup && event.hasErrors { takeErrors() }
      takeTurns()
    }
  }

  /// Works until nothing waits, or until it is time to look at the other events.
  private mutating func takeTurns() {
    var turns = LaneToken.turnLimit
    while turns > 0, turn() { turns -= 1 }
  }

  /// One batch; whether there may be another.
  private mutating func turn() -> Bool {
    let received = receiver.receive(into: &batch)
    // A pending error fails one call, so that it is seen here while packets keep the lane from waiting.
    if received.failures > 0 { takeErrors() }
    guard received.count > 0 else { return false }
    let table = tables.current()
    let now = clock.now
    inbound.process(&batch, table: table, at: now)
    outbound.relay(&batch, table: table, at: now)
    outbound.relay(&inbound.replies, table: table, at: now)
    _ = writer.write(&batch)
    let isRefused = link.note(sender.send(&batch), batch)
    let isReplyRefused = link.note(sender.send(&inbound.replies), inbound.replies)
    if link.events.takeNews() || isRefused || isReplyRefused { plane.control.signal() }
    return !plane.isStopping
  }

  /// Takes the errors that wait at the socket to the control thread.
  private func takeErrors() {
    let now = clock.now
    var isNews = false
    for family in AddressFamily.allCases {
      for _ in 0..<Self.errorCallLimit {
        let isMore = errors.drain(family, of: receiver.socket) {
          isNews = link.note($0, at: now) || isNews
        }
        guard isMore else { break }
      }
    }
    if isNews { plane.control.signal() }
  }

  private mutating func follow(_ socket: UDPSocket) throws {
    guard socket !== receiver.socket else { return }
    // What waits at the old socket is still ours to read.
    takeTurns()
    for family in AddressFamily.allCases {
      if let descriptor = receiver.socket.descriptor(family) { try poller.remove(descriptor) }
    }
    receiver.move(to: socket)
    sender.move(to: socket)
    try Self.watch(socket, poller)
  }

  private static func watch(_ socket: UDPSocket, _ poller: borrowing Poller<LaneToken>) throws {
    if let descriptor = socket.descriptor(.v4) { try poller.add(descriptor, as: .first) }
    if let descriptor = socket.descriptor(.v6) { try poller.add(descriptor, as: .second) }
  }
}
