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

  /// What the kernel says about the way to a peer.
  enum Trouble: Equatable {
    /// Our side of its path is no longer valid.
    case staleSource(PeerID)
    /// It takes no datagram for it.
    case unreachable(PeerID)
  }

  private let troubles = Mutex<[Trouble]>([])
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

  /// Notes what the kernel says; whether that is news.
  ///
  /// A few notes are enough: the packets that follow meet the same error.
  func note(_ trouble: Trouble) -> Bool {
    troubles.withLock { troubles in
      guard troubles.count < 64, !troubles.contains(trouble) else { return false }
      troubles.append(trouble)
      return true
    }
  }

  /// Takes what was noted.
  func takeTroubles() -> [Trouble] {
    troubles.withLock { troubles in
      defer { troubles.removeAll(keepingCapacity: true) }
      return troubles
    }
  }
}
