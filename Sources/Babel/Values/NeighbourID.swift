/// The name of a neighbour: one WireGuard peer, which is one Babel interface with one node behind it.
@frozen
public struct NeighbourID: Hashable, Sendable, BitwiseCopyable {
  /// The caller's number for the peer.
  public let rawValue: UInt32

  /// Makes the id with this number.
  @inlinable
  public init(_ rawValue: UInt32) {
    self.rawValue = rawValue
  }
}

extension NeighbourID: Comparable {
  /// By number, to have an order at all.
  @inlinable
  public static func < (lhs: NeighbourID, rhs: NeighbourID) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension NeighbourID: CustomStringConvertible {
  /// The text form.
  public var description: String { "\(rawValue)" }
}
