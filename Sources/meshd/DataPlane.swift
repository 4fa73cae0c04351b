import Mesh
import Net
import Synchronization
import Tun

/// What the lanes and the control thread share: the table and the sockets go down, a link per lane goes up.
final class DataPlane: Sendable {
  /// The TUN device.
  let tun: TunDevice
  /// The table that lanes forward by.
  let tables = Published(ForwardingTable.empty)
  /// One socket pair for each pair of lanes; replaced when the listen port changes.
  let sockets: Published<[UDPSocket]>
  /// Wakes the control thread.
  let control: Wakeup
  /// Takes the first step of handshakes off the control thread.
  let opener: HandshakeOpener
  /// One link for each lane: those that read the TUN device first, then those that read the sockets.
  let links: [LaneLink]

  private let stopping = Atomic(false)

  /// The number of lanes in each direction.
  var laneCount: Int { links.count / 2 }

  init(tun: TunDevice, sockets: [UDPSocket]) throws {
    self.tun = tun
    self.sockets = Published(sockets)
    control = try Wakeup()
    opener = try HandshakeOpener()
    links = try (0..<2 * sockets.count).map { _ in try LaneLink() }
  }

  /// Opens a socket pair for each of `lanes`, for `init` or `publish`.
  static func openSockets(port: UInt16, mark: UInt32, lanes: Int) throws(BindError) -> [UDPSocket] {
    var options = UDPSocket.Options()
    options.firewallMark = mark
    options.reportsErrors = true
    return try UDPSocket.group(lanes: lanes, port: port, options: options)
  }

  /// Whether the lanes shall end.
  var isStopping: Bool { stopping.load(ordering: .acquiring) }

  /// Makes the lanes and the opener end.
  func stop() {
    stopping.store(true, ordering: .releasing)
    wakeLanes()
    opener.stop()
  }

  /// Publishes a table.
  ///
  /// Every lane is woken, since an idle one would keep expired keys alive.
  func publish(_ table: ForwardingTable) {
    tables.publish(table)
    wakeLanes()
  }

  /// Publishes sockets; the old ones close when the last lane has moved.
  func publish(_ sockets: [UDPSocket]) {
    self.sockets.publish(sockets)
    wakeLanes()
  }

  private func wakeLanes() {
    for link in links { link.wakeup.signal() }
  }
}
