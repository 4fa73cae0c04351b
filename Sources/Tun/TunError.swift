public import SystemPackage

/// Why there is no TUN device.
///
/// Each case is one sentence for the one who started the daemon.
public enum TunError: Error, Sendable, Equatable {
  /// /dev/net/tun does not exist, or no driver is behind it.
  case unavailable
  /// The process may not open /dev/net/tun or may not make interfaces.
  case notPermitted
  /// An interface of this name exists and is not ours to take.
  case nameInUse(String)
  /// The kernel allows no interface of this name.
  case invalidName(String)
  /// The inherited descriptor is no TUN device that carries bare IP packets.
  case unsuitableDescriptor
  /// Another failure, with the corresponding C function.
  case failed(Errno, in: String)
}

extension TunError: CustomStringConvertible {
  /// The sentence.
  public var description: String {
    switch self {
    case .unavailable:
      "/dev/net/tun is not there: load the module with `modprobe tun`, or pass the device into the container"
    case .notPermitted:
      "making a network interface needs CAP_NET_ADMIN and access to /dev/net/tun: run as root"
    case .nameInUse(let name):
      "the interface name \(name) is taken"
    case .invalidName(let name):
      "`\(name)` is no interface name: 1 to 15 octets without `/`, `:` and white space"
    case .unsuitableDescriptor:
      "the inherited descriptor is no TUN device without packet information (IFF_TUN | IFF_NO_PI)"
    case .failed(let error, let function):
      "the TUN device failed in \(function): \(error)"
    }
  }
}
