internal import Net

/// What a node must remember over a restart: its Babel seqno and the newest TAI64N timestamp it may have used.
///
/// One line of text, with a checksum so that a torn file is seen and ignored (`decisions.md` 18).
public struct PersistentState: Sendable, Equatable {
  /// Our own sequence number (RFC 8966 §3.2.1).
  public var seqno: UInt16
  /// No handshake has left with a timestamp above this: nanoseconds since 1970.
  public var timestampCeiling: Int64

  /// Makes a state.
  public init(seqno: UInt16, timestampCeiling: Int64) {
    self.seqno = seqno
    self.timestampCeiling = timestampCeiling
  }

  /// Reads the text form; `nil` if it is damaged.
  public init?(text: String) {
    let fields = text.split(whereSeparator: \.isWhitespace)
    guard fields.count == 4, fields[0] == "meshd-state-1", let seqno = UInt16(fields[1]),
      let ceiling = Int64(fields[2]), ceiling >= 0
    else { return nil }
    self.init(seqno: seqno, timestampCeiling: ceiling)
    guard fields[3] == checksum else { return nil }
  }

  /// The text form, one line.
  public var text: String {
    "\(body) \(checksum)\n"
  }

  private var body: String {
    "meshd-state-1 \(seqno) \(timestampCeiling)"
  }

  /// FNV-1a over the body: against torn writes, not against anybody.
  private var checksum: String {
    let sum = body.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return String(sum, radix: 16)
  }
}
