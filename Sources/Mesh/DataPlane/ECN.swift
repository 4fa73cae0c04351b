internal import Net

/// The two congestion bits between inner and outer header (RFC 6040).
internal enum ECN {
  static let notECT: UInt8 = 0
  static let ect1: UInt8 = 1
  static let ect0: UInt8 = 2
  static let congestionExperienced: UInt8 = 3

  /// The outer bits for a packet with these inner ones. Congestion met before the tunnel stays inside: the outer header
  /// starts a new path, as in the kernel module.
  static func encapsulate(_ inner: UInt8) -> UInt8 {
    inner == congestionExperienced ? ect0 : inner
  }

  /// The inner bits after a packet left the tunnel (RFC 6040 §4.2); `nil` drops it.
  static func decapsulate(inner: UInt8, outer: UInt8) -> UInt8? {
    switch (inner, outer) {
    case (notECT, congestionExperienced): nil
    case (notECT, _): notECT
    case (_, congestionExperienced): congestionExperienced
    case (ect0, ect1): ect1
    default: inner
    }
  }
}
