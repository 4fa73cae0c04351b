/// One of the host's ways out: an interface that a default route leads through, and an address on it.
public struct Uplink: Hashable, Sendable {
  /// The index of the interface.
  public var interface: UInt32
  /// Our address there.
  public var address: IPAddress
  /// The largest packet that the interface takes, in octets.
  public var mtu: Int

  /// Names a way out.
  public init(interface: UInt32, address: IPAddress, mtu: Int = 1500) {
    self.interface = interface
    self.address = address
    self.mtu = mtu
  }
}
