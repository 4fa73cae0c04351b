public import Net

/// What names a destination in the source, route and request tables (RFC 8966 §3.2.5–3.2.7, RFC 9079 §3.1).
///
/// AE 1 and AE 4 of one IPv4 prefix are one key.
@frozen
public struct RouteKey: Hashable, Sendable, BitwiseCopyable {
  /// The destination.
  public let prefix: IPPrefix
  /// Where packets must come from to go this way, of the destination's family; `nil` is anywhere.
  public let source: IPPrefix?

  /// Makes the key of routes to `prefix` from `source`; a default route as source is anywhere.
  public init(_ prefix: IPPrefix, source: IPPrefix? = nil) {
    self.prefix = prefix
    self.source = source?.isDefault == true ? nil : source
  }
}

extension RouteKey: Comparable {
  /// By number, to have an order at all; routes from anywhere come first.
  public static func < (lhs: RouteKey, rhs: RouteKey) -> Bool {
    guard lhs.prefix == rhs.prefix else { return lhs.prefix < rhs.prefix }
    guard let right = rhs.source else { return false }
    return lhs.source.map { $0 < right } ?? true
  }
}

extension RouteKey: CustomStringConvertible {
  /// The text form: `PREFIX`, or `PREFIX from SOURCE`.
  public var description: String { source.map { "\(prefix) from \($0)" } ?? "\(prefix)" }
}
