import Logging
import Mesh

/// What a daemon is started with, besides its configuration.
struct DaemonOptions: Sendable {
  /// Whose conventions the daemon follows.
  enum Mode: Sendable {
    /// wireguard-go's: everything comes over the UAPI socket.
    case wg
    /// meshd's: a file says what the node is.
    case mesh
  }

  static let defaultSocketDirectory = "/var/run/wireguard"
  static let defaultStateDirectory = "/var/lib/meshd"

  /// The name of the interface.
  var interfaceName: String
  /// Whose conventions are followed.
  var mode: Mode
  /// The configuration file, absolute; `nil` in `wg` mode.
  var configurationPath: String?
  /// Whether the daemon stays in the foreground.
  var isForeground = false
  /// Where the control socket is.
  var socketDirectory = Self.defaultSocketDirectory
  /// Where what outlives the process is kept.
  var stateDirectory = Self.defaultStateDirectory
  /// The least level that is logged; `nil` logs nothing.
  var logLevel: Logger.Level? = .info
  /// The lanes in each direction; an adopted device has one.
  var lanes = Self.defaultLanes
  /// How packets between two peers travel; `nil` leaves it to the file.
  var transit: Configuration.Transit?
  /// A TUN device made by the caller (`WG_TUN_FD`).
  var tunDescriptor: Int32?
  /// A listening UAPI socket made by the caller (`WG_UAPI_FD`).
  var uapiDescriptor: Int32?
}

extension DaemonOptions {
  /// The mark that the node's own UDP packets bear.
  ///
  /// Where we make the host's routes, one of them may lead to where these packets go: without `FwMark` they bear a mark of
  /// their own, by the index of the interface.
  func mark(of interface: Configuration.Interface, device index: UInt32) -> UInt32 {
    guard interface.firewallMark == 0, mode == .mesh, interface.host.table == .auto else {
      return interface.firewallMark
    }
    return 0x6D65_0000 + index
  }
}
