public import Net

/// The interface, as operators know it from babeld.
public struct InterfaceRow: Sendable, Equatable {
  /// Whether the device is up.
  public var isUp: Bool
  /// Our link-local address.
  public var linkLocal: IPv6Address?
  /// Our IPv4 address, if there is one.
  public var ipv4: IPv4Address?

  /// Makes a row.
  public init(isUp: Bool, linkLocal: IPv6Address?, ipv4: IPv4Address?) {
    self.isUp = isUp
    self.linkLocal = linkLocal
    self.ipv4 = ipv4
  }
}
