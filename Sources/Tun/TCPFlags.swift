/// The eight flags of a TCP header (RFC 9293 §3.1).
internal struct TCPFlags: OptionSet {
  let rawValue: UInt8

  static let push = TCPFlags(rawValue: 0x08)
  static let acknowledgment = TCPFlags(rawValue: 0x10)
  static let congestionWindowReduced = TCPFlags(rawValue: 0x80)

  // Sets are numbers here, since an array literal may cost an allocation for each packet.

  /// FIN and PSH: what only the last segment of a super-packet keeps.
  static let ending = TCPFlags(rawValue: 0x09)
  /// ACK, PSH, ECE and CWR: what a segment may have that is merged.
  static let mergeable = TCPFlags(rawValue: 0xD8)
  /// PSH and CWR: what the segments of a super-packet may differ in.
  static let varying = TCPFlags(rawValue: 0x88)
}
