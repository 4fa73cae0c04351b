/// The two ends of a link; each is one network interface.
public enum LinkEnd: Int, Sendable, CaseIterable {
  /// The first: the inside of the address translation, if that is on.
  case a
  /// The second.
  case b

  /// The end on the other side.
  public var other: LinkEnd { self == .a ? .b : .a }
}

/// A way through a link.
public enum Direction: String, Sendable, CaseIterable {
  /// From end a to end b.
  case ab
  /// From end b to end a.
  case ba

  /// The way that starts at `end`.
  public init(from end: LinkEnd) {
    self = end == .a ? .ab : .ba
  }

  /// The end that frames come out of.
  public var destination: LinkEnd { self == .ab ? .b : .a }
  /// The way back.
  public var reverse: Direction { self == .ab ? .ba : .ab }
}
