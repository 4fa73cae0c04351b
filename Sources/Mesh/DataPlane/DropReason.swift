internal import Synchronization

/// Why a packet or datagram died.
public enum DropReason: String, Sendable, CaseIterable {
  /// No IP header, or one that contradicts the octets that arrived.
  case malformed = "malformed packet"
  /// No prefix with a target holds the destination.
  case noRoute = "no route"
  /// The destination is retracted and held.
  case unreachable = "unreachable"
  /// The peer has no endpoint.
  case noEndpoint = "no endpoint"
  /// A datagram of no known type or length.
  case unknownMessage = "unknown message"
  /// A handshake message whose mac1 is not made with our key.
  case invalidMAC = "invalid mac1"
  /// Data for a receiver index that nobody has.
  case unknownReceiver = "unknown receiver index"
  /// Data under a key past its life.
  case expiredKey = "expired key"
  /// Data that does not authenticate.
  case forged = "not authentic"
  /// Data seen before, or too old to tell.
  case replayed = "replayed"
  /// A source that belongs to others than this peer.
  case disallowedSource = "disallowed source"
  /// A source in no known prefix.
  case unknownSource = "unknown source"
  /// A source outside the peer's `Accept`.
  case unacceptedSource = "source outside Accept"
  /// A source that nobody may use, or one of our own addresses.
  case martianSource = "martian source"
  /// Link-local traffic other than Babel from a peer that speaks Babel.
  case linkLocal = "link-local"
  /// Congestion seen outside on a packet whose flow cannot be told (RFC 6040 §4.2).
  case congestion = "congestion experienced"
  /// Transit while transit is off.
  case transitRefused = "transit refused"
  /// Transit whose TTL or hop limit ran out.
  case hopLimitExceeded = "hop limit exceeded"
  /// Larger than the way on carries.
  case tooBig = "too big"
  /// A handshake message that found its queue full.
  case handshakeQueueFull = "handshake queue full"
  /// A control datagram that found its queue full.
  case controlQueueFull = "control queue full"
  /// A packet without session that found its queue full.
  case sessionQueueFull = "session queue full"

  /// The place of the reason in declaration order.
  internal var index: Int {
    switch self {
    case .malformed: 0
    case .noRoute: 1
    case .unreachable: 2
    case .noEndpoint: 3
    case .unknownMessage: 4
    case .invalidMAC: 5
    case .unknownReceiver: 6
    case .expiredKey: 7
    case .forged: 8
    case .replayed: 9
    case .disallowedSource: 10
    case .unknownSource: 11
    case .unacceptedSource: 12
    case .martianSource: 13
    case .linkLocal: 14
    case .congestion: 15
    case .transitRefused: 16
    case .hopLimitExceeded: 17
    case .tooBig: 18
    case .handshakeQueueFull: 19
    case .controlQueueFull: 20
    case .sessionQueueFull: 21
    }
  }
}

/// Packets dropped by one lane, by reason.
///
/// The lane counts, any thread reads.
public final class DropCounters: Sendable {
  private let counts = InlineArray<22, Atomic<UInt64>> { _ in Atomic(0) }

  /// All zero.
  public init() {}

  /// Counts `packets` that died of `reason`; for the lane whose counters these are.
  public func count(_ reason: DropReason, _ packets: Int = 1) {
    counts[reason.index].wrappingAdd(UInt64(packets), ordering: .relaxed)
  }

  /// How many packets died of `reason`.
  public subscript(reason: DropReason) -> UInt64 {
    counts[reason.index].load(ordering: .relaxed)
  }
}
