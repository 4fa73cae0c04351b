internal import Net

/// A TAI64N timestamp, 12 octets: what makes an initiation newer than another (whitepaper §5.1).
///
/// Only its order matters to the peer. It is rounded down to 2^24 ns, so that it tells little about our clock.
public struct Timestamp: Hashable, Sendable, BitwiseCopyable {
  /// Octets on the wire.
  public static let size = 12
  /// The distance of two timestamps: the greatest power of two below the 20 ms between two initiations.
  public static let grain: Duration = .nanoseconds(1 << 24)

  /// TAI64 seconds: 2^62 + 10 at the epoch of Unix.
  public var seconds: UInt64
  /// Nanoseconds into that second.
  public var nanoseconds: UInt32

  private static let unixEpoch: UInt64 = 1 << 62 + 10

  /// Makes the timestamp with these two numbers.
  public init(seconds: UInt64, nanoseconds: UInt32) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// The timestamp of a wall clock, as time since 1970.
  public init(sinceUnixEpoch time: Duration) {
    let total = time.nanoseconds
    let (second, nanosecond) = total.quotientAndRemainder(dividingBy: 1_000_000_000)
    let borrows: Int64 = nanosecond < 0 ? 1 : 0
    seconds = Self.unixEpoch &+ UInt64(bitPattern: second - borrows)
    nanoseconds = UInt32(truncatingIfNeeded: nanosecond + borrows * 1_000_000_000)
  }

  /// Takes the first 12 octets of `bytes`; `nil` if there are fewer.
  public init?(_ bytes: RawSpan) {
    guard bytes.byteCount >= Self.size else { return nil }
    seconds = bytes.big64(0)
    nanoseconds = bytes.big32(8)
  }

  /// The 12 octets: big-endian, so that their order is that of time.
  public var bytes: [UInt8] {
    var writer = ByteWriter(capacity: Self.size)
    writer.append(big64: seconds)
    writer.append(big32: nanoseconds)
    return writer.bytes
  }

  /// The timestamp rounded down to the grain, within its second.
  public var whitened: Timestamp {
    Timestamp(seconds: seconds, nanoseconds: nanoseconds & ~((1 << 24) - 1))
  }

  /// The timestamp `duration` later; one that is not to be represented is the last there is.
  public func advanced(by duration: Duration) -> Timestamp {
    let (second, nanosecond) = duration.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let sum = Int64(nanoseconds) + nanosecond
    let carry = sum >= 1_000_000_000 ? 1 : sum < 0 ? -1 : 0 as Int64
    let (total, overflow) = seconds.addingReportingOverflow(UInt64(bitPattern: second + carry))
    guard second + carry < 0 || !overflow else { return Timestamp(seconds: .max, nanoseconds: 999_999_999) }
    return Timestamp(
      seconds: total, nanoseconds: UInt32(truncatingIfNeeded: sum - carry * 1_000_000_000))
  }
}

extension Timestamp: Comparable {
  /// The order of the octets, as every implementation compares them.
  public static func < (lhs: Timestamp, rhs: Timestamp) -> Bool {
    (lhs.seconds, lhs.nanoseconds) < (rhs.seconds, rhs.nanoseconds)
  }
}
