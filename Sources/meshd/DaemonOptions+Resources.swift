import Glibc
import Logging

extension DaemonOptions {
  /// One lane in each direction for every two cores (`decisions.md` 10).
  static var defaultLanes: Int {
    min(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2), LaneOption.limit)
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
