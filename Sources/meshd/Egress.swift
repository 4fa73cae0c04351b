import Mesh
import Net
import SystemPackage
import Tun

/// The lane from the TUN device to the sockets: read, route and seal, send.
///
/// One thread, run to completion.
struct Egress: ~Copyable {
  /// Packets of one turn: some super-packets' worth.
  private static var batchSize: Int { 256 }
  /// Octets of one turn, with the room around packets: no more than a processor's own cache holds.
  private static var batchCapacity: Int { 384 << 10 }

  private let plane: DataPlane
  private let link: LaneLink
  private let index: Int
  private let clock = SystemClock()
  private var tables: Published<ForwardingTable>.Reader
  private var sockets: Published<[UDPSocket]>.Reader
  private var reader: TunReader
  private var writer: TunWriter
  private var sender: DatagramWriter
  private var outbound: Outbound
  private var batch: PacketBatch
  private var poller: Poller<LaneToken>

  /// Makes the lane with this number; to be called in its thread.
  init(_ plane: DataPlane, index: Int) throws {
    let link = plane.links[index]
    let reader = plane.tun.reader(ofQueue: index)
    let poller = try Poller<LaneToken>()
    try poller.add(link.wakeup.descriptor, as: .wakeup)
    try poller.add(reader.descriptor, as: .first)
    self.plane = plane
    self.index = index
    self.link = link
    self.reader = reader
    self.poller = poller
    tables = plane.tables.reader()
    sockets = plane.sockets.reader()
    sender = sockets.current()[index].writer()
    writer = plane.tun.writer(ofQueue: index)
    outbound = Outbound(events: link.events, drops: link.drops)
    batch = PacketBatch(
      bufferCount: 1, bufferCapacity: Self.batchCapacity, slotsPerBuffer: Self.batchSize)
  }

  /// Moves packets until the daemon stops or the device is gone.
  mutating func run() throws {
    while !plane.isStopping, !link.isDeviceGone {
      try poller.wait(atMost: nil)
      for event in poller.events where event.token == .wakeup {
        link.wakeup.clear()
        _ = tables.current()
        sender.move(to: sockets.current()[index])
      }
      takeTurns()
    }
  }

  /// Works until nothing waits, or until it is time to look at the other events.
  private mutating func takeTurns() {
    var turns = LaneToken.turnLimit
    while turns > 0, turn() { turns -= 1 }
  }

  /// One batch; whether there may be another: what came meanwhile costs less to find by reading than by waiting.
  private mutating func turn() -> Bool {
    let read = reader.read(into: &batch)
    if read.isGone {
      link.noteDeviceGone()
      plane.control.signal()
      return false
    }
    if read.malformed > 0 { link.drops.count(.malformed, read.malformed) }
    guard read.count > 0 else { return false }
    let table = tables.current()
    outbound.process(&batch, table: table, at: clock.now)
    let isRefused = link.note(sender.send(&batch), batch)
    _ = writer.write(&outbound.replies)
    if link.events.takeNews() || isRefused { plane.control.signal() }
    return !plane.isStopping
  }
}
