/// The way one datagram took or shall take: the remote endpoint and our own side of it.
///
/// Replies leave from the address a packet came to (`IP_PKTINFO`, `IPV6_PKTINFO`), so both travel together, as in the
/// kernel module's `struct endpoint`.
@frozen
public struct Path: Hashable, Sendable, BitwiseCopyable {
  /// The peer's endpoint.
  public var remote: Endpoint
  /// Our address; `nil` leaves the choice to the kernel.
  public var local: IPAddress?
  /// The index of our interface; 0 leaves the choice to the kernel.
  public var interface: UInt32

  /// Makes a path; without `local` the kernel chooses our side.
  @inlinable
  public init(remote: Endpoint, local: IPAddress? = nil, interface: UInt32 = 0) {
    self.remote = remote
    self.local = local
    self.interface = interface
  }
}
