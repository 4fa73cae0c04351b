public import Net
public import Noise

/// The addresses that follow from a public key, so that nobody configures or exchanges them (`decisions.md` 12).
public struct DerivedAddresses: Sendable, Equatable {
  /// The interface identifier of the link-local address, and the Babel router-id: the same eight octets.
  public let interfaceIdentifier: UInt64
  /// The Babel router-id under which other nodes announce the node's prefixes while it speaks no Babel itself.
  public let claimIdentifier: UInt64

  /// Derives the addresses of the node with this key.
  ///
  /// The first eight octets of BLAKE2s-256("meshd-iid-v1" ‖ key); where they are reserved, of the same with an octet
  /// 1, 2, … behind the key.
  public init(of key: PublicKey) {
    interfaceIdentifier = Self.identifier(key, label: "meshd-iid-v1")
    claimIdentifier = Self.identifier(key, label: "meshd-claim-v1")
  }

  /// The link-local address, in fe80::/64.
  public var linkLocal: IPv6Address { IPv6Address(high: 0xFE80 << 48, low: interfaceIdentifier) }

  /// The router-id as Babel's tools print it: eight octets between colons.
  public var routerID: String {
    (0..<8).map { index in
      let octet = UInt8(truncatingIfNeeded: interfaceIdentifier >> UInt64(56 - 8 * index))
      return (octet < 16 ? "0" : "") + String(octet, radix: 16)
    }.joined(separator: ":")
  }

  /// Zero and ones are no router-ids (RFC 8966 §4.1.3), the last /121 of the identifiers is for anycast (RFC 5453).
  static func isReserved(_ identifier: UInt64) -> Bool {
    identifier == 0 || identifier == .max
      || (0xFDFF_FFFF_FFFF_FF80...0xFDFF_FFFF_FFFF_FFFF).contains(identifier)
  }

  private static func identifier(_ key: PublicKey, label: String) -> UInt64 {
    var suffix: [UInt8] = []
    while true {
      let identifier = key.digest(label: label, suffix: suffix).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
      guard isReserved(identifier) else { return identifier }
      suffix = [(suffix.first ?? 0) &+ 1]
    }
  }
}

extension PublicKey {
  /// The link-local address that follows from the key.
  public var linkLocal: IPv6Address { DerivedAddresses(of: self).linkLocal }
}
