public import SystemPackage

/// Why there is no socket to serve.
public enum StreamListenerError: Error, Sendable, Equatable {
  /// A process answers on it.
  case inUse(FilePath)
  /// Another process has the port.
  case portInUse(UInt16)
  /// The path is longer than the 107 octets that fit a socket address.
  case pathTooLong(FilePath)
  /// Another failure, with the corresponding C function.
  case failed(Errno, in: String)
}

extension StreamListenerError: CustomStringConvertible {
  /// The sentence.
  public var description: String {
    switch self {
    case .inUse(let path): "a process is already serving \(path)"
    case .portInUse(let port): "a process is already serving port \(port) at ::1"
    case .pathTooLong(let path): "the path of the socket is too long: \(path)"
    case .failed(let error, let function): "the control socket failed in \(function): \(error)"
    }
  }
}
