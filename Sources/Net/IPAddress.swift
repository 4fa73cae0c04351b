/// The two versions of the Internet Protocol.
@frozen
public enum AddressFamily: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// IPv4.
  case v4
  /// IPv6.
  case v6

  /// The number of bits in an address.
  @inlinable
  public var bitWidth: Int { self == .v4 ? 32 : 128 }
}

/// An address of either family.
@frozen
public enum IPAddress: Hashable, Sendable, BitwiseCopyable {
  /// An IPv4 address.
  case v4(IPv4Address)
  /// An IPv6 address.
  case v6(IPv6Address)

  /// The address' family.
  @inlinable
  public var family: AddressFamily {
    switch self {
    case .v4: .v4
    case .v6: .v6
    }
  }

  /// Whether the address is multicast.
  @inlinable
  public var isMulticast: Bool {
    switch self {
    case .v4(let address): address.isMulticast
    case .v6(let address): address.isMulticast
    }
  }

  /// Whether the address has link scope (169.254.0.0/16, fe80::/10).
  @inlinable
  public var isLinkLocal: Bool {
    switch self {
    case .v4(let address): address.isLinkLocal
    case .v6(let address): address.isLinkLocal
    }
  }
}

extension IPAddress: Comparable {
  /// IPv4 before IPv6, then by number.
  @inlinable
  public static func < (lhs: IPAddress, rhs: IPAddress) -> Bool {
    switch (lhs, rhs) {
    case (.v4(let l), .v4(let r)): l < r
    case (.v6(let l), .v6(let r)): l < r
    case (.v4, .v6): true
    case (.v6, .v4): false
    }
  }
}

extension IPAddress: CustomStringConvertible {
  /// Reads an address of either family.
  public init?(_ text: some StringProtocol) {
    if let address = IPv4Address(text) {
      self = .v4(address)
    } else if let address = IPv6Address(text) {
      self = .v6(address)
    } else {
      return nil
    }
  }

  /// The text form.
  public var description: String {
    switch self {
    case .v4(let address): address.description
    case .v6(let address): address.description
    }
  }
}
