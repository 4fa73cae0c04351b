public import SystemPackage

/// Why there is no UDP socket.
public enum BindError: Error, Sendable, Equatable {
  /// Another program has the port.
  case portInUse(UInt16)
  /// The mark needs CAP_NET_ADMIN.
  case markNotPermitted
  /// Another failure, with the corresponding C function.
  case failed(Errno, in: String)
}

extension BindError: CustomStringConvertible {
  /// The sentence.
  public var description: String {
    switch self {
    case .portInUse(let port): "UDP port \(port) is in use"
    case .markNotPermitted: "FwMark needs CAP_NET_ADMIN"
    case .failed(let error, let function): "the UDP socket failed in \(function): \(error)"
    }
  }
}
