internal import CLinux
internal import Glibc
public import SystemPackage

/// A signal that ends or reconfigures the daemon.
public enum Signal: Int32, Sendable, CaseIterable {
  /// SIGHUP: read the configuration again.
  case hangUp = 1
  /// SIGINT: end.
  case interrupt = 2
  /// SIGUSR1: the daemon's choice.
  case user1 = 10
  /// SIGTERM: end.
  case terminate = 15
}

/// Signals as something to read.
///
/// The corresponding C function is `signalfd`.
public struct SignalSource: ~Copyable {
  private let source: OwnedDescriptor

  /// Blocks `signals` in the calling thread and takes them from the process.
  ///
  /// To be called in the first thread, before any other starts, since threads inherit what is blocked. Also
  /// ignores SIGPIPE: a closed connection is an error value.
  public init(_ signals: [Signal]) throws(Errno) {
    var set = Self.set(of: signals)
    try Self.block(signals)
    _ = Glibc.signal(SIGPIPE, SIG_IGN)
    source = try OwnedDescriptor {
      unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    }
  }

  /// Blocks `signals` in the calling thread and in those that it starts from now on.
  ///
  /// For a thread that only waits for the one that reads them.
  public static func block(_ signals: [Signal]) throws(Errno) {
    var set = set(of: signals)
    let error = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    guard error == 0 else { throw Errno(rawValue: error) }
  }

  private static func set(of signals: [Signal]) -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for signal in signals { unsafe sigaddset(&set, signal.rawValue) }
    return set
  }

  /// The descriptor to watch for reading.
  public var descriptor: FileDescriptor { source.descriptor }

  /// The next signal that has come; `nil` if none waits.
  public func next() throws(Errno) -> Signal? {
    var information = signalfd_siginfo()
    do {
      _ = try systemCall {
        unsafe read(source.rawValue, &information, MemoryLayout<signalfd_siginfo>.size)
      }
    } catch {
      if error == .wouldBlock { return nil }
      throw error
    }
    return Signal(rawValue: Int32(information.ssi_signo))
  }
}
