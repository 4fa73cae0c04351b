internal import Net

/// How an address or prefix is written (RFC 8966 §4.1.4, RFC 9229 §2).
enum AddressEncoding: UInt8 {
  /// No address.
  case wildcard = 0
  /// IPv4.
  case ipv4 = 1
  /// IPv6.
  case ipv6 = 2
  /// An IPv6 address in fe80::/64, of which only the last eight octets are written.
  case linkLocal = 3
  /// An IPv4 prefix with an IPv6 next hop.
  case ipv4ViaIPv6 = 4

  /// The family of what is encoded; `nil` without an address.
  var family: AddressFamily? {
    switch self {
    case .wildcard: nil
    case .ipv4, .ipv4ViaIPv6: .v4
    case .ipv6, .linkLocal: .v6
    }
  }

  /// Bits of a whole address.
  var bitWidth: Int { family?.bitWidth ?? 0 }

  /// Leading octets that are implied instead of written.
  var impliedOctets: Int { self == .linkLocal ? 8 : 0 }
}

/// The type numbers of TLVs and sub-TLVs (RFC 8966 §4.6, 8967, 9079, 9616).
enum TLVType {
  static let pad1: UInt8 = 0
  static let padN: UInt8 = 1
  static let acknowledgmentRequest: UInt8 = 2
  static let acknowledgment: UInt8 = 3
  static let hello: UInt8 = 4
  static let ihu: UInt8 = 5
  static let routerID: UInt8 = 6
  static let nextHop: UInt8 = 7
  static let update: UInt8 = 8
  static let routeRequest: UInt8 = 9
  static let seqnoRequest: UInt8 = 10
  static let mac: UInt8 = 16
  static let packetCounter: UInt8 = 17
  static let challengeRequest: UInt8 = 18
  static let challengeReply: UInt8 = 19

  /// The sub-TLV with the times of RFC 9616.
  static let timestamp: UInt8 = 3
  /// The sub-TLV with the source prefix of RFC 9079.
  static let sourcePrefix: UInt8 = 128
}

/// The flags of Hello and Update TLVs.
enum TLVFlag {
  /// Hello: it counts in the unicast series.
  static let unicast: UInt16 = 0x8000
  /// Update: the prefix is the default prefix from here on.
  static let prefix: UInt8 = 0x80
  /// Update: the last octets of the prefix are the router-id from here on.
  static let routerID: UInt8 = 0x40
}

// An address as 128 bits with IPv4 in the highest 32: prefixes of both families are cut and joined from the left.
extension UInt128 {
  init(leading address: IPAddress) {
    switch address {
    case .v4(let a): self = UInt128(a.bits) << 96
    case .v6(let a): self = UInt128(a.high) << 64 | UInt128(a.low)
    }
  }

  /// All ones in the first `count` bits.
  static func mask(leading count: Int) -> UInt128 {
    count >= 128 ? .max : ~(UInt128.max >> UInt128(count))
  }

  /// Octet `index`, counted from the left.
  func octet(_ index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: self >> UInt128(120 - 8 * index))
  }

  /// The address of this family in the leading bits.
  func address(_ family: AddressFamily) -> IPAddress {
    switch family {
    case .v4: .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: self >> 96)))
    case .v6:
      .v6(IPv6Address(high: UInt64(truncatingIfNeeded: self >> 64), low: UInt64(truncatingIfNeeded: self)))
    }
  }
}
