/// A sequence number: 16 bits that wrap (RFC 8966 §3.2.1).
///
/// Deliberately not `Comparable`: "newer" on a circle is not transitive, so no sort or `max` can be right.
@frozen
public struct Seqno: Hashable, Sendable, BitwiseCopyable {
  /// The number on the wire.
  public let rawValue: UInt16

  /// Makes the sequence number with this value.
  @inlinable
  public init(_ rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// Whether this number lies in the half circle after `other`; never for two numbers 32768 apart.
  @inlinable
  public func isNewer(than other: Seqno) -> Bool {
    (1..<0x8000).contains(rawValue &- other.rawValue)
  }

  /// Whether a route with this number is what a node lacks that asked for `wanted`: newer than the one before that.
  ///
  /// Not the same as that `wanted` is no newer: a node that missed two leaps may ask for the far end of the circle, where
  /// neither is newer, and what it asked for is the least that it can use.
  func answers(_ wanted: Seqno) -> Bool {
    isNewer(than: Seqno(wanted.rawValue &- 1))
  }

  /// The next number.
  @inlinable
  public var successor: Seqno { Seqno(rawValue &+ 1) }

  /// How far this number is after `other`, from -32768 to 32767.
  @inlinable
  public func distance(from other: Seqno) -> Int {
    Int(Int16(bitPattern: rawValue &- other.rawValue))
  }
}

extension Seqno: CustomStringConvertible {
  /// The text form.
  public var description: String { "\(rawValue)" }
}
