public import Babel
internal import DequeModule
public import Net
public import Noise

/// One change of where packets for a prefix go, remembered for `explain`.
public struct SwitchRecord: Sendable, Equatable {
  /// Why.
  public enum Reason: Sendable, Equatable {
    /// Babel chose.
    case routing(RouteSwitch.Reason)
    /// Another peer owns the prefix, or the same peer in another way.
    case configuration

    /// The reason in words; they do not change between releases.
    public var text: String {
      switch self {
      case .routing(let reason): reason.rawValue
      case .configuration: "owner changed"
      }
    }
  }

  /// When.
  public var time: Instant
  /// The destination.
  public var prefix: IPPrefix
  /// Where the packets must come from; `nil` is anywhere.
  public var source: IPPrefix?
  /// The peer that packets went to; `nil` if they went to none.
  public var former: PublicKey?
  /// The metric of that way at the end; 65535 if there was none any more.
  public var formerMetric: UInt16
  /// The peer that they go to from then on; `nil` for none.
  public var current: PublicKey?
  /// The metric of the new way.
  public var metric: UInt16
  /// Why.
  public var reason: Reason

  /// Makes a record.
  public init(
    time: Instant, prefix: IPPrefix, source: IPPrefix? = nil, former: PublicKey?,
    formerMetric: UInt16 = .max, current: PublicKey?, metric: UInt16 = .max, reason: Reason
  ) {
    self.time = time
    self.prefix = prefix
    self.source = source
    self.former = former
    self.formerMetric = formerMetric
    self.current = current
    self.metric = metric
    self.reason = reason
  }
}

/// The last switches of the whole node, the oldest first.
///
/// One bounded list and not one for each prefix: a route entry must stay small.
struct SwitchHistory: Sendable {
  static let capacity = 256

  private var records: Deque<SwitchRecord> = []

  mutating func append(_ record: SwitchRecord) {
    if records.count >= Self.capacity { records.removeFirst() }
    records.append(record)
  }

  /// The last switches of a destination, the newest first.
  func last(_ count: Int, of key: RouteKey) -> [SwitchRecord] {
    Array(records.reversed().lazy.filter { RouteKey($0.prefix, source: $0.source) == key }.prefix(count))
  }
}
