/// The eight flags of a TCP header (RFC 9293 §3.1).
internal struct TCPFlags: OptionSet {
  let rawValue: UInt8

  static let finish = TCPFlags(rawValue: 0x01)
  static let push = TCPFlags(rawValue: 0x08)
  static let acknowledgment = TCPFlags(rawValue: 0x10)
  static let congestionEcho = TCPFlags(rawValue: 0x40)
  static let congestionWindowReduced = TCPFlags(rawValue: 0x80)
}
