internal import Net

/// What its sender has told the receiver, all in one number: a TLV of meshd's own, which others skip (RFC 8966 §4.5).
///
/// The type is 224, the first of those for experiments. The body is `hash` and `count`, big-endian; what follows is
/// reserved for sub-TLVs and ignored.
@frozen
public struct SyncDigest: Hashable, Sendable {
  /// The sum of the marks of all routes told and not retracted, modulo 2^64.
  public var hash: UInt64
  /// How many there are.
  public var count: UInt32

  /// Makes a digest; the default is that of no routes.
  public init(hash: UInt64 = 0, count: UInt32 = 0) {
    self.hash = hash
    self.count = count
  }
}

/// A finite update in 31 bits that are not zero, the same at both ends of a link.
///
/// Seven words are hashed one after the other: the prefix in two, IPv4 in the highest 32 bits; the source prefix in two,
/// zero for any; family (4 or 6), prefix length and source prefix length, an octet each; the router-id; sequence number
/// and metric, 16 bits each. Each word goes into the exclusive or with the hash so far, which begins as zero, and through
/// one step of SplitMix64. The highest 31 bits are the mark; zero is replaced by one.
struct RouteMark: Hashable, Sendable {
  /// The number; 0 stands for no route.
  let rawValue: UInt32

  /// No route, or a retracted one.
  static let none = RouteMark(rawValue: 0)

  private init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// The mark of a route with these values.
  init(_ key: RouteKey, _ routerID: RouterID, seqno: Seqno, metric: Metric) {
    let prefix = UInt128(leading: key.prefix.address)
    let source = key.source.map { UInt128(leading: $0.address) } ?? 0
    let family: UInt64 = key.prefix.family == .v4 ? 4 : 6
    let lengths = UInt64(key.prefix.length) << 8 | UInt64(key.source?.length ?? 0)
    var hash = Self.step(0, UInt64(truncatingIfNeeded: prefix >> 64))
    hash = Self.step(hash, UInt64(truncatingIfNeeded: prefix))
    hash = Self.step(hash, UInt64(truncatingIfNeeded: source >> 64))
    hash = Self.step(hash, UInt64(truncatingIfNeeded: source))
    hash = Self.step(hash, family << 16 | lengths)
    hash = Self.step(hash, routerID.rawValue)
    hash = Self.step(hash, UInt64(seqno.rawValue) << 16 | UInt64(metric.rawValue))
    rawValue = max(UInt32(truncatingIfNeeded: hash >> 33), 1)
  }

  /// The mark of an update; that of a retraction is `none`.
  init(_ update: Update) {
    guard update.metric.isFinite, let routerID = update.routerID else {
      self = .none
      return
    }
    self.init(
      RouteKey(update.prefix, source: update.source), routerID, seqno: update.seqno, metric: update.metric)
  }

  private static func step(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    var generator = SplitMix64(seed: hash ^ word)
    return generator.next()
  }
}
