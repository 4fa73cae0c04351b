public import Net
public import SystemPackage

/// What became of a datagram that the kernel had taken: an ICMP error about it, or one of the kernel's own.
///
/// Anyone on the way, and anyone who guesses the ports, can make an ICMP error: it is a hint, no proof.
///
/// The corresponding C type is `struct sock_extended_err`.
public struct DatagramError: Sendable, Hashable {
  /// What is wrong with the way.
  public enum Kind: Sendable, Hashable {
    /// The datagram did not arrive: `ECONNREFUSED` for a port, `EHOSTUNREACH` for a host, `ENETUNREACH` for a network,
    /// `EACCES` where a filter says so.
    case unreachable(Errno)
    /// The datagram may have no more octets than this, IP header included; 0 where an old router does not say.
    case tooBig(mtu: Int)
  }

  /// Where the datagram was to go; the port is 0 where this host's kernel refused one over IPv4.
  public var remote: Endpoint
  /// What is wrong.
  public var kind: Kind
  /// Who sent the ICMP error; `nil` if this host's kernel refused the datagram itself.
  public var reporter: IPAddress?

  /// Makes an error.
  public init(remote: Endpoint, kind: Kind, reporter: IPAddress?) {
    self.remote = remote
    self.kind = kind
    self.reporter = reporter
  }
}
