public import Net

/// Packets that the host sends into the TUN device: those to a prefix, from anywhere or from some sources only (RFC 9079).
public struct HostPrefix: Hashable, Sendable {
  /// Where the packets go.
  public var destination: IPPrefix
  /// Where they must come from; `nil` is anywhere.
  public var source: IPPrefix?

  /// Makes a prefix.
  public init(_ destination: IPPrefix, from source: IPPrefix? = nil) {
    self.destination = destination
    self.source = source
  }

  /// Those of the packets that come from one of `addresses`, by address; none of a prefix for packets from anywhere.
  public func narrowed(to addresses: [IPAddress]) -> [HostPrefix] {
    guard let source else { return [] }
    return addresses.filter { source.contains($0) }.map { HostPrefix(destination, from: IPPrefix(host: $0)) }
  }
}

extension HostPrefix: Comparable, CustomStringConvertible {
  /// By number, to have an order at all; packets from anywhere come first.
  public static func < (lhs: HostPrefix, rhs: HostPrefix) -> Bool {
    guard lhs.destination == rhs.destination else { return lhs.destination < rhs.destination }
    guard let right = rhs.source else { return false }
    return lhs.source.map { $0 < right } ?? true
  }

  /// The text form: `PREFIX`, or `PREFIX from SOURCE`.
  public var description: String { source.map { "\(destination) from \($0)" } ?? "\(destination)" }
}
