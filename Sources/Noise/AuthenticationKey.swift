internal import CSodium
internal import Net

/// A key of up to 64 octets that authenticates routing messages (RFC 8967 §4.1); wiped when the last reference goes.
public final class AuthenticationKey: Sendable {
  /// What is done with the key, by the name that babeld's configuration has for it.
  public enum Algorithm: String, Sendable, CaseIterable {
    /// HMAC-SHA256 with MACs of 32 octets, which every implementation has.
    case hmacSHA256 = "hmac-sha256"
    /// Keyed BLAKE2s with MACs of 16 octets.
    case blake2s = "blake2s128"

    /// Octets that a key may have.
    public var longestKey: Int { self == .hmacSHA256 ? 64 : 32 }
  }

  /// What is done with the key.
  public let algorithm: Algorithm
  /// Octets of the key.
  private let count: Int
  // Zeros fill both up.
  private let first: Secret
  private let second: Secret

  /// Takes a key; `nil` if it has no octet or more than the algorithm allows.
  public init?(_ algorithm: Algorithm, _ bytes: RawSpan, in arena: SecretArena = SecretArena()) {
    guard (1...algorithm.longestKey).contains(bytes.byteCount) else { return nil }
    self.algorithm = algorithm
    count = bytes.byteCount
    first = Self.slot(bytes, from: 0, in: arena)
    second = Self.slot(bytes, from: SecretArena.slotSize, in: arena)
  }

  private static func slot(_ bytes: RawSpan, from start: Int, in arena: SecretArena) -> Secret {
    var slot = Secret(in: arena)
    var octets = slot.mutableSpan
    for index in 0..<min(max(bytes.byteCount - start, 0), SecretArena.slotSize) {
      octets[index] = bytes.byte(start + index)
    }
    return slot
  }

  /// Reads pairs of hexadecimal digits; `nil` if they are no key for the algorithm.
  public convenience init?(
    _ algorithm: Algorithm, hex text: some StringProtocol, in arena: SecretArena = SecretArena()
  ) {
    guard var key = KeyText.decode(longHex: text) else { return nil }
    defer { unsafe sodium_memzero(&key.octets, 64) }
    self.init(algorithm, key.octets.bytes.extracting(0..<key.count), in: arena)
  }

  /// The secret as hexadecimal digits, in ordinary memory: only for who asked to see it.
  public var hex: String {
    let digits = first.withBytes(KeyText.hex) + second.withBytes(KeyText.hex)
    return String(digits.prefix(2 * count))
  }

  /// The MAC of a message.
  public func sign(_ message: [UInt8]) -> [UInt8] {
    var mac = [UInt8](repeating: 0, count: algorithm == .hmacSHA256 ? 32 : 16)
    switch algorithm {
    case .blake2s:
      first.withBytes { key in
        var digest = mac.mutableSpan
        BLAKE2s.keyedHash(key: key.extracting(0..<count), message.bytes, into: &digest)
      }
    case .hmacSHA256:
      var state = crypto_auth_hmacsha256_state()
      // HMAC fills a short key up with zeros itself.
      withPaddedKey { key in
        _ = unsafe key.withOctets { unsafe crypto_auth_hmacsha256_init(&state, $0, key.byteCount) }
      }
      _ = unsafe message.bytes.withOctets {
        unsafe crypto_auth_hmacsha256_update(&state, $0, UInt64(message.count))
      }
      _ = unsafe crypto_auth_hmacsha256_final(&state, &mac)
      unsafe sodium_memzero(&state, MemoryLayout<crypto_auth_hmacsha256_state>.size)
    }
    return mac
  }

  private func withPaddedKey(_ body: (RawSpan) -> Void) {
    var key = InlineArray<64, UInt8>(repeating: 0)
    first.withBytes { for index in 0..<32 { key[index] = $0.byte(index) } }
    second.withBytes { for index in 0..<32 { key[32 + index] = $0.byte(index) } }
    body(key.bytes)
    unsafe sodium_memzero(&key, 64)
  }

  /// Whether the MAC of a message is among the candidates; each is compared in constant time.
  public func verify(_ message: [UInt8], _ candidates: [[UInt8]]) -> Bool {
    let mac = sign(message)
    return candidates.contains { unsafe $0.count == mac.count && sodium_memcmp(mac, $0, mac.count) == 0 }
  }
}

extension AuthenticationKey: Equatable {
  /// Whether both are the same key, in constant time.
  public static func == (lhs: AuthenticationKey, rhs: AuthenticationKey) -> Bool {
    lhs.algorithm == rhs.algorithm && lhs.count == rhs.count && lhs.first == rhs.first
      && lhs.second == rhs.second
  }
}
