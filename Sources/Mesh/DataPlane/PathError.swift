/// What an ICMP error says about a way to an endpoint.
public enum PathError: Sendable, Equatable {
  /// Host, port or network cannot be reached, or may not be.
  case unreachable
  /// Packets longer than `mtu` octets, IP header included, do not pass whole.
  case tooBig(mtu: Int)
}
