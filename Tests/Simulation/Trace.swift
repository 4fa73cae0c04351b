import Net

/// A hash over everything that happens in a simulation: FNV-1a, so that it is the same in every process.
public struct Trace: Sendable, Equatable {
  /// The hash of what has happened.
  public private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  /// How many events have.
  public private(set) var count = 0

  mutating func note(_ instant: Instant, node: Int, _ octets: [UInt8]) {
    count += 1
    mix(UInt64(bitPattern: instant.nanoseconds))
    mix(UInt64(node))
    mix(UInt64(octets.count))
    for octet in octets { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
  }

  private mutating func mix(_ value: UInt64) {
    hash = (hash ^ value) &* 0x100_0000_01B3
  }
}
