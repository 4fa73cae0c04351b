import Glibc
import Logging
import Mesh
import SystemPackage

extension DaemonOptions {
  /// One lane in each direction for every two cores (`decisions.md` 10).
  static var defaultLanes: Int {
    min(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2), LaneOption.limit)
  }

  /// Where babeld's monitoring protocol is to be served.
  func places(of interface: Configuration.Interface, named name: String) -> [MonitorServer.Place] {
    interface.monitorSockets.map { socket in
      switch socket {
      case .standard: .path(FilePath(socketDirectory).appending("\(name).babel"))
      case .path(let path): .path(FilePath(path))
      case .port(let port): .port(port)
      }
    }
  }

  /// The daemon's log, on standard error.
  func makeLogger() -> Logger {
    var logger = Logger(label: interfaceName) { StreamLogHandler.standardError(label: $0) }
    if let logLevel {
      logger.logLevel = logLevel
    } else {
      logger = Logger(label: interfaceName) { _ in SwiftLogNoOpLogHandler() }
    }
    return logger
  }
}
