public import Net

/// What names a destination in the source, route and request tables (RFC 8966 §3.2.5–3.2.7).
///
/// A prefix of its own type, so that the source prefix of RFC 9079 has a place to go. AE 1 and AE 4 of one IPv4 prefix
/// are one key.
@frozen
public struct RouteKey: Hashable, Sendable, BitwiseCopyable, Comparable {
  /// The destination.
  public let prefix: IPPrefix

  /// Makes the key of routes to `prefix` from anywhere.
  @inlinable
  public init(_ prefix: IPPrefix) {
    self.prefix = prefix
  }

  /// By number, to have an order at all.
  public static func < (lhs: RouteKey, rhs: RouteKey) -> Bool { lhs.prefix < rhs.prefix }
}
