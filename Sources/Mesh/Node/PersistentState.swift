internal import Net
public import Noise

/// What a node must remember over a restart: its Babel seqno, and a bound above every TAI64N timestamp it has used.
///
/// One line of text, with a checksum so that a torn file is seen and ignored (`decisions.md` 18).
public struct PersistentState: Sendable, Equatable {
  /// Our own sequence number (RFC 8966 §3.2.1).
  public var seqno: UInt16
  /// No handshake has left with a timestamp above this.
  public var highWaterMark: Timestamp

  /// Makes a state.
  public init(seqno: UInt16, highWaterMark: Timestamp) {
    self.seqno = seqno
    self.highWaterMark = highWaterMark
  }

  /// Reads the text form; `nil` if it is damaged.
  public init?(text: String) {
    let fields = text.split(whereSeparator: \.isWhitespace)
    guard fields.count == 5, fields[0] == Self.magic, let seqno = UInt16(fields[1]),
      let seconds = UInt64(fields[2]), let nanoseconds = UInt32(fields[3])
    else { return nil }
    self.init(seqno: seqno, highWaterMark: Timestamp(seconds: seconds, nanoseconds: nanoseconds))
    guard fields[4] == checksum else { return nil }
  }

  /// The text form, one line.
  public var text: String {
    "\(body) \(checksum)\n"
  }

  private static let magic = "meshd-state-1"

  private var body: String {
    "\(Self.magic) \(seqno) \(highWaterMark.seconds) \(highWaterMark.nanoseconds)"
  }

  /// FNV-1a over the body: against torn writes, not against anybody.
  private var checksum: String {
    let sum = body.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return String(sum, radix: 16)
  }
}
