/// A way out of this host: an interface that leads everywhere, and an address of ours on it.
@frozen
public struct Uplink: Hashable, Sendable, BitwiseCopyable {
  /// The interface's index.
  public var interface: UInt32
  /// Our address.
  public var address: IPAddress
  /// Octets that one packet may have there: no path by this uplink takes more.
  public var mtu: Int

  /// Makes an uplink.
  @inlinable
  public init(interface: UInt32, address: IPAddress, mtu: Int) {
    self.interface = interface
    self.address = address
    self.mtu = mtu
  }
}
