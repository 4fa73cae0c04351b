/// What an ICMP error, or the kernel on this host, says about a datagram that was on its way.
///
/// Anyone can forge an ICMP error: it is a hint, no proof.
public enum PathError: Sendable, Equatable {
  /// It did not arrive: a network, a host or a port cannot be reached, or a filter is in the way.
  case unreachable
  /// It may have no more octets than this, outer IP header included; 0 where the reporter does not say.
  case tooBig(mtu: Int)
}
