public import Net
internal import Synchronization

/// What the lanes tell the control thread about one peer without a message: counters and the newest instants.
///
/// Lanes store once per run of packets, the control thread samples. Two lanes may race to store an instant; they differ by
/// less than a turn, and no timer is that exact.
public final class PeerActivity: Sendable {
  private let sent = Atomic<UInt64>(0)
  private let received = Atomic<UInt64>(0)
  private let dataSent = Atomic<Int64>(0)
  private let dataReceived = Atomic<Int64>(0)
  private let authenticatedSent = Atomic<Int64>(0)
  private let authenticatedReceived = Atomic<Int64>(0)
  private let shortcutWanted = Atomic<Int64>(.min)
  private let trafficSent = Atomic<Int64>(0)
  private let trafficReceived = Atomic<Int64>(0)
  private let silenceBegan = Atomic<Int64>(0)
  private let refused = Atomic<UInt64>(0)

  /// Nothing yet: all counters zero, all instants `.zero`.
  public init() {}

  /// Octets of datagrams sent to the peer, all message types.
  public var sentBytes: UInt64 { sent.load(ordering: .relaxed) }
  /// Octets of authenticated datagrams received from it.
  public var receivedBytes: UInt64 { received.load(ordering: .relaxed) }
  /// When data, not a keepalive, was last sent.
  public var lastDataSent: Instant { Instant(nanoseconds: dataSent.load(ordering: .relaxed)) }
  /// When data, not a keepalive, was last received.
  public var lastDataReceived: Instant { Instant(nanoseconds: dataReceived.load(ordering: .relaxed)) }
  /// When any authenticated packet was last sent.
  public var lastAuthenticatedSent: Instant {
    Instant(nanoseconds: authenticatedSent.load(ordering: .relaxed))
  }
  /// When any authenticated packet was last received.
  public var lastAuthenticatedReceived: Instant {
    Instant(nanoseconds: authenticatedReceived.load(ordering: .relaxed))
  }
  /// When a packet of ours that could go to the peer directly was last sent; distant past if never.
  public var lastShortcutWanted: Instant {
    Instant(nanoseconds: shortcutWanted.load(ordering: .relaxed))
  }
  /// When a packet of a host, not one of routing, was last sent.
  public var lastTrafficSent: Instant { Instant(nanoseconds: trafficSent.load(ordering: .relaxed)) }
  /// When a packet of a host was last received.
  public var lastTrafficReceived: Instant { Instant(nanoseconds: trafficReceived.load(ordering: .relaxed)) }
  /// When the first packet of a host was sent of those after which nothing authenticated has come; `nil` if there are none.
  public var unansweredSince: Instant? {
    let began = silenceBegan.load(ordering: .relaxed)
    return began > authenticatedReceived.load(ordering: .relaxed) ? Instant(nanoseconds: began) : nil
  }
  /// Packets from the peer that failed the source check.
  public var refusedSources: UInt64 { refused.load(ordering: .relaxed) }

  /// Notes transport messages sent: `data` tells whether any of them was more than a keepalive.
  public func noteSent(byteCount: Int, data: Bool, at now: Instant) {
    sent.wrappingAdd(UInt64(byteCount), ordering: .relaxed)
    authenticatedSent.store(now.nanoseconds, ordering: .relaxed)
    if data { dataSent.store(now.nanoseconds, ordering: .relaxed) }
  }

  /// Notes authenticated transport messages received: `data` tells whether any of them was more than a
  /// keepalive.
  public func noteReceived(byteCount: Int, data: Bool, at now: Instant) {
    received.wrappingAdd(UInt64(byteCount), ordering: .relaxed)
    authenticatedReceived.store(now.nanoseconds, ordering: .relaxed)
    if data { dataReceived.store(now.nanoseconds, ordering: .relaxed) }
  }

  /// Notes that packets of hosts were among those sent.
  ///
  /// Where silence begins is noted by the side that waits for its end: one more store after each arrival, none in between.
  internal func noteTrafficSent(at now: Instant) {
    trafficSent.store(now.nanoseconds, ordering: .relaxed)
    guard silenceBegan.load(ordering: .relaxed) <= authenticatedReceived.load(ordering: .relaxed) else {
      return
    }
    silenceBegan.store(now.nanoseconds, ordering: .relaxed)
  }

  /// Notes that packets of hosts were among those received.
  internal func noteTrafficReceived(at now: Instant) {
    trafficReceived.store(now.nanoseconds, ordering: .relaxed)
  }

  /// Notes a handshake message sent: it counts as octets, its timers are the control thread's own.
  public func noteHandshakeSent(byteCount: Int) {
    sent.wrappingAdd(UInt64(byteCount), ordering: .relaxed)
  }

  /// Notes a handshake message received.
  public func noteHandshakeReceived(byteCount: Int) {
    received.wrappingAdd(UInt64(byteCount), ordering: .relaxed)
  }

  internal func noteShortcutWanted(at now: Instant) {
    shortcutWanted.store(now.nanoseconds, ordering: .relaxed)
  }

  internal func noteRefusedSource() {
    refused.wrappingAdd(1, ordering: .relaxed)
  }
}
