import ArgumentParser
import Glibc
import Logging

extension DaemonOptions {
  /// One for every two cores (`decisions.md` 10).
  static var defaultLanes: Int {
    max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2)
  }

  /// Reads a number of lanes; a TUN device has 256 queues at most.
  static func lanes(argument: String) throws -> Int {
    guard let lanes = Int(argument), (1...256).contains(lanes) else {
      throw ValidationError("`\(argument)' is not a number of lanes from 1 to 256")
    }
    return lanes
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
