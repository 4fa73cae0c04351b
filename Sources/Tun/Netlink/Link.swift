internal import CLinux
internal import Glibc
internal import Net

/// A network interface of the host.
public struct Link: Sendable, Hashable {
  /// The index.
  public var index: UInt32
  /// The name.
  public var name: String
  /// The MTU; 0 where the kernel did not say.
  public var mtu: UInt32
  /// Whether it has been set up (`IFF_UP`).
  public var isUp: Bool
  /// Whether it can carry packets (`IFF_RUNNING`): for a TUN device, whether its process has it open.
  public var isRunning: Bool
  /// Whether its packets never leave the host (`IFF_LOOPBACK`).
  public var isLoopback: Bool
}

extension Link {
  /// Reads `struct ifinfomsg` and its attributes.
  internal init?(reading payload: RawSpan) {
    // Messages of a family are about a part of an interface, such as its place in a bridge.
    guard let message = payload.fixedPart(ifinfomsg.self), message.ifi_index > 0,
      message.ifi_family == UInt8(AF_UNSPEC)
    else { return nil }
    index = UInt32(message.ifi_index)
    name = ""
    mtu = 0
    isUp = message.ifi_flags & UInt32(IFF_UP) != 0
    isRunning = message.ifi_flags & UInt32(IFF_RUNNING) != 0
    isLoopback = message.ifi_flags & UInt32(IFF_LOOPBACK) != 0
    var attributes = AttributeReader(payload, after: MemoryLayout<ifinfomsg>.size)
    while let attribute = attributes.next() {
      switch attribute.type {
      case IFLA_IFNAME: name = payload.text(attribute.range)
      case IFLA_MTU: mtu = payload.number(attribute.range, as: UInt32.self) ?? mtu
      default: break
      }
    }
  }
}
