internal import Glibc
public import SystemPackage

/// A program that the user asked for: the hooks of a configuration file.
public enum ChildProcess {
  /// How a program ended.
  public enum Ending: Sendable, Equatable {
    /// By itself, with this status; 0 is success.
    case exited(Int32)
    /// By this signal.
    case killed(Int32)
  }

  /// Runs a command line in `/bin/sh` and waits for its end.
  ///
  /// Our descriptors stay here; the standard streams are shared.
  public static func run(shell command: String) throws(Errno) -> Ending {
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    // A child inherits blocked and ignored signals: it shall start as from a shell.
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    var defaults = sigset_t()
    unsafe sigemptyset(&defaults)
    unsafe sigaddset(&defaults, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var child = pid_t()
    let error = unsafe "sh".withCString { shell in
      unsafe "-c".withCString { option in
        unsafe command.withCString { command in
          let arguments = unsafe [shell, option, command, nil].map {
            unsafe UnsafeMutablePointer(mutating: $0)
          }
          return unsafe posix_spawn(&child, "/bin/sh", nil, &attributes, arguments, environ)
        }
      }
    }
    guard error == 0 else { throw Errno(rawValue: error) }
    var status: Int32 = 0
    _ = try systemCall { unsafe waitpid(child, &status, 0) }
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal)
  }
}
