public import Net
public import Synchronization

/// The keys, nonces and replay window of one session (whitepaper §5.4.5, §5.4.6).
///
/// The only part of this module on the packet path, shared by all lanes. Names, keys and age never change; what changes is
/// one atomic counter, one flag, and the window behind a lock that a lane takes once for a run of packets. The keys are
/// wiped when the last lane lets go.
public final class Keypair: Sendable {
  /// Our name for it: what received data carries.
  public let localIndex: ReceiverIndex
  /// The peer's name for it: what sent data carries.
  public let remoteIndex: ReceiverIndex
  /// Whether we sent the initiation; only that side renews a session by age.
  public let isInitiator: Bool
  /// When it was derived, on the clock that counts suspend.
  public let createdAt: Instant
  /// The first instant at which it is dead.
  public let expiresAt: Instant
  /// What we seal with.
  public let sending: SymmetricKey
  /// What we open with.
  public let receiving: SymmetricKey

  private let nextCounter = Atomic<UInt64>(0)
  private let isConfirmed: Atomic<Bool>
  @usableFromInline
  internal let window = Mutex(ReplayWindow())

  /// Makes a keypair whose counters start at zero.
  public init(
    localIndex: ReceiverIndex, remoteIndex: ReceiverIndex, isInitiator: Bool, createdAt: Instant,
    sending: consuming SymmetricKey, receiving: consuming SymmetricKey
  ) {
    self.localIndex = localIndex
    self.remoteIndex = remoteIndex
    self.isInitiator = isInitiator
    self.createdAt = createdAt
    expiresAt = createdAt.advanced(by: Limits.rejectAfterTime)
    self.sending = sending
    self.receiving = receiving
    isConfirmed = Atomic(isInitiator)
  }

  /// Whether packets may be sent and taken at `now`: for 180 s from its birth.
  @inlinable
  public func isAlive(at now: Instant) -> Bool {
    now < expiresAt
  }

  /// Counters used so far; `Limits.rekeyAfterMessages` is measured against it.
  public var sentCount: UInt64 { nextCounter.load(ordering: .relaxed) }

  /// Reserves `count` consecutive counters and returns the first; `nil` once they are used up.
  ///
  /// Any thread. The limit is checked before the addition, so refused calls never creep towards a wrapped nonce. Lanes that pass the
  /// check together overshoot by less than a batch each, far below the 2^13 counters kept free for it.
  public func reserve(_ count: Int) -> UInt64? {
    let wanted = UInt64(count)
    guard nextCounter.load(ordering: .relaxed) <= Limits.rejectAfterMessages - wanted else { return nil }
    return nextCounter.wrappingAdd(wanted, ordering: .relaxed).oldValue
  }

  /// Runs `body` with the replay window, locked: once for a run of packets, after they proved authentic.
  ///
  /// Any thread. The closure asks `accept` for each counter in order of arrival. It does not escape, so the call allocates nothing.
  @inlinable
  public func withReplayWindow<Result: Sendable>(_ body: (inout ReplayWindow) -> Result) -> Result {
    window.withLock { body(&$0) }
  }

  /// Notes an authentic packet; true for the first one of a session that we answered, false ever after.
  ///
  /// Any thread. That packet is the initiator's key confirmation. Whoever gets true tells the `Tunnel`: only then may we send.
  public func confirm() -> Bool {
    guard !isConfirmed.load(ordering: .relaxed) else { return false }
    return !isConfirmed.exchange(true, ordering: .relaxed)
  }

  /// Makes `confirm` true once more: its news did not reach the `Tunnel`, so the next packet is to bring it.
  ///
  /// Any thread.
  public func forgetConfirmation() {
    isConfirmed.store(false, ordering: .relaxed)
  }
}
