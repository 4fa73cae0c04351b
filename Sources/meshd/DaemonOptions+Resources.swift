import Glibc
import Logging

extension DaemonOptions {
  /// The lanes in each direction: one for every two cores (`decisions.md` 10).
  var lanes: Int {
    max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2)
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
