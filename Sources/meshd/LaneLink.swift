import Mesh
import Net
import Synchronization
import Tun

/// One lane's way to the control thread, and the control thread's way to wake it.
final class LaneLink: Sendable {
  /// Wakes the lane.
  let wakeup: Wakeup
  /// What the lane has to tell.
  let events = DataPlaneEvents()
  /// What it dropped.
  let drops = DropCounters()

  private let stale = Mutex<[PeerID]>([])
  private let deviceGone = Atomic(false)

  init() throws {
    wakeup = try Wakeup()
  }

  /// Whether the lane has found the TUN device deleted.
  var isDeviceGone: Bool { deviceGone.load(ordering: .relaxed) }

  /// Notes that the device is gone.
  func noteDeviceGone() {
    deviceGone.store(true, ordering: .relaxed)
  }

  /// Notes that our side of the path to a peer is no longer valid.
  ///
  /// A few notes are enough: the packets that follow meet the same error.
  func noteStaleSource(_ peer: PeerID) {
    stale.withLock { peers in
      guard peers.count < 64, !peers.contains(peer) else { return }
      peers.append(peer)
    }
  }

  /// Takes the peers noted.
  func takeStaleSources() -> [PeerID] {
    stale.withLock { peers in
      defer { peers.removeAll(keepingCapacity: true) }
      return peers
    }
  }
}
