/// Who made a route of the host's kernel: the number that `ip route` shows as `proto`.
public struct KernelProtocol: Hashable, Sendable, BitwiseCopyable {
  /// The number (`RTPROT_*`); never 0, which stands for nobody.
  public let rawValue: UInt8

  /// Makes the protocol with this number; `nil` for 0.
  public init?(_ rawValue: UInt8) {
    guard rawValue != 0 else { return nil }
    self.rawValue = rawValue
  }

  private init(known rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// The kernel itself: the prefixes of the interfaces' addresses.
  public static let kernel = KernelProtocol(known: 2)
  /// What `ip route add` writes when nothing else is asked for.
  public static let boot = KernelProtocol(known: 3)
  /// A Babel daemon, ourselves included.
  public static let babel = KernelProtocol(known: 42)

  /// The names of rt_protos, as iproute2 has them.
  private static let names: [(name: String, number: UInt8)] = [
    ("redirect", 1), ("kernel", 2), ("boot", 3), ("static", 4), ("gated", 8), ("ra", 9), ("mrt", 10),
    ("zebra", 11), ("bird", 12), ("dnrouted", 13), ("xorp", 14), ("ntk", 15), ("dhcp", 16),
    ("keepalived", 18), ("babel", 42), ("openr", 99), ("bgp", 186), ("isis", 187), ("ospf", 188),
    ("rip", 189), ("eigrp", 192),
  ]
}

extension KernelProtocol: CustomStringConvertible {
  /// Reads a name of iproute2's, or a number from 1 to 255.
  public init?(_ text: some StringProtocol) {
    if let known = Self.names.first(where: { $0.name == text }) {
      self.init(known.number)
    } else {
      guard let number = UInt8(text), text.utf8.first != UInt8(ascii: "+") else { return nil }
      self.init(number)
    }
  }

  /// The name, or the number of a protocol without one.
  public var description: String {
    Self.names.first { $0.number == rawValue }?.name ?? "\(rawValue)"
  }
}
