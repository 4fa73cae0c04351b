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
    /// Our side of the path is no longer valid.
    case staleSource(PeerID, Path)
    /// It takes no datagram for the peer along this path.
    case unreachable(PeerID, Path)
    /// Somebody on the way, or the kernel itself, has said so about a datagram to this endpoint.
    case icmp(Endpoint, PathError)
  }

  /// What is to be told; anyone can send ICMP errors, so they have room and a rate of their own.
  private struct News: Sendable {
    var refusals: [Trouble] = []
    var errors: [Trouble] = []
    var errorBudget = TokenBucket(rate: 500, burst: 32)
  }

  private let news = Mutex(News())
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
  @discardableResult
  func note(_ trouble: Trouble) -> Bool {
    news.withLock { news in
      guard news.refusals.count < 64, !news.refusals.contains(trouble) else { return false }
      news.refusals.append(trouble)
      return true
    }
  }

  /// Notes an error from the socket's queue; whether that is news.
  ///
  /// What this host's kernel refused, whoever sent it knows.
  func note(_ error: DatagramError, at now: Instant) -> Bool {
    guard error.reporter != nil else { return false }
    let trouble = Trouble.icmp(error.remote, PathError(error.kind))
    return news.withLock { news in
      guard news.errors.count < 32, !news.errors.contains(trouble), news.errorBudget.take(at: now) else {
        return false
      }
      news.errors.append(trouble)
      return true
    }
  }

  /// Notes what became of datagrams; whether the control thread should hear of it.
  func note(_ result: DatagramWriter.Result, _ batch: borrowing PacketBatch) -> Bool {
    var isNews = false
    if let slot = result.firstStaleSlot {
      let slot = batch[slot]
      isNews = note(.staleSource(PeerID(rawValue: slot.peer), batch.path(slot.path)))
    }
    for slot in result.unreachableSlots {
      let slot = batch[slot]
      isNews = note(.unreachable(PeerID(rawValue: slot.peer), batch.path(slot.path))) || isNews
    }
    return isNews
  }

  /// Takes what was noted.
  func takeTroubles() -> [Trouble] {
    news.withLock { news in
      defer {
        news.refusals.removeAll(keepingCapacity: true)
        news.errors.removeAll(keepingCapacity: true)
      }
      return news.refusals + news.errors
    }
  }
}

extension PathError {
  fileprivate init(_ kind: DatagramError.Kind) {
    switch kind {
    case .unreachable: self = .unreachable
    case .tooBig(let mtu): self = .tooBig(mtu: mtu)
    }
  }
}
