internal import CLinux
internal import Glibc
public import SystemPackage

/// Sends the program to the background once it works.
///
/// The command that was typed returns when the daemon is ready, with success, or with the sentence that says why it will
/// not be.
public struct Daemonizer: ~Copyable {
  private let parent: OwnedDescriptor

  /// Forks.
  ///
  /// The child returns; the first process waits in here for the child's report and then exits with it: it
  /// never returns. To be called before any thread or descriptor is made.
  public init() throws(Errno) {
    var ends: [Int32] = [0, 0]
    _ = try systemCall { unsafe pipe(&ends) }
    _ = try systemCall { fcntl(ends[1], F_SETFD, FD_CLOEXEC) }
    let child = try systemCall { clinux_fork() }
    // Not ours any more in the first process: held open, it would hide the child's death.
    _ = close(child == 0 ? ends[0] : ends[1])
    if child != 0 { Self.exit(reporting: ends[0]) }
    _ = setsid()
    parent = OwnedDescriptor(ends[1])
  }

  /// Reports that all is well; from here on the daemon has no terminal.
  ///
  /// With `log`, what it prints goes to the end of that file; if that cannot be, the report is that.
  public consuming func ready(log: FilePath? = nil) throws(Errno) {
    do {
      if let log {
        _ = try systemCall { unsafe log.withPlatformString { unsafe clinux_redirect_standard_streams($0) } }
      } else {
        _ = try systemCall { clinux_redirect_standard_streams(nil) }
      }
    } catch {
      fail("the log file \(log?.string ?? "/dev/null") cannot be opened: \(error)")
      throw error
    }
    report([0])
  }

  /// Reports why there will be no daemon.
  ///
  /// The caller exits next.
  public consuming func fail(_ sentence: String) {
    report([1] + Array(sentence.utf8))
  }

  private func report(_ message: [UInt8]) {
    // A parent that has been killed needs no report. One write of a sentence to a pipe is whole.
    _ = unsafe write(parent.rawValue, message, message.count)
  }

  private static func exit(reporting pipe: Int32) -> Never {
    var message: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while let count = try? systemCall({ unsafe read(pipe, &chunk, chunk.count) }), count > 0 {
      message.append(contentsOf: chunk[..<count])
    }
    if message.first == 0 { _exit(0) }
    let sentence =
      message.isEmpty ? Array("the daemon ended before it was ready".utf8) : Array(message.dropFirst())
    let line = sentence + [UInt8(ascii: "\n")]
    _ = unsafe write(STDERR_FILENO, line, line.count)
    _exit(1)
  }
}
