/// What the control thread waits for; clients of the UAPI socket follow the fixed ones.
enum ControlToken: RawRepresentable {
  /// A lane has news.
  case lanes
  /// A signal has come.
  case signals
  /// A client wants to connect to the UAPI socket.
  case listener
  /// The directory of the UAPI socket has changed.
  case socketFile
  /// The host's links, addresses or routes have changed.
  case network
  /// The resolver has an answer.
  case names
  /// Initiations have been opened.
  case openings
  /// Clients of babeld's monitoring protocol.
  case babelMonitor
  /// A host has answered a health check.
  case checks
  /// A client of the UAPI socket.
  case client(UInt64)

  private static var firstClient: UInt64 { 16 }

  init?(rawValue: UInt64) {
    switch rawValue {
    case 0: self = .lanes
    case 1: self = .signals
    case 2: self = .listener
    case 3: self = .socketFile
    case 4: self = .network
    case 5: self = .names
    case 6: self = .openings
    case 7: self = .babelMonitor
    case 8: self = .checks
    case Self.firstClient...: self = .client(rawValue - Self.firstClient)
    default: return nil
    }
  }

  var rawValue: UInt64 {
    switch self {
    case .lanes: 0
    case .signals: 1
    case .listener: 2
    case .socketFile: 3
    case .network: 4
    case .names: 5
    case .openings: 6
    case .babelMonitor: 7
    case .checks: 8
    case .client(let token): Self.firstClient + token
    }
  }
}
