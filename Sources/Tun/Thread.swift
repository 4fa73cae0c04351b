internal import CLinux
internal import Glibc
public import SystemPackage

/// One of the daemon's own threads.
///
/// The corresponding C functions are `pthread_*`.
///
/// What the thread works on is moved into it: the closure is `sending`, so the compiler sees that nobody else keeps a
/// part of it.
public struct Thread: ~Copyable {
  private let handle: pthread_t

  /// Starts a thread that runs `body` and ends.
  ///
  /// Of `name`, 15 octets show in `top` and `/proc`.
  public init(named name: String, _ body: sending @escaping () -> Void) throws(Errno) {
    let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
    var handle = pthread_t()
    let error = unsafe pthread_create(
      &handle, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        unsafe clinux_set_thread_name(start.name)
        start.body()
        return nil
      }, start.toOpaque())
    guard error == 0 else {
      unsafe start.release()
      throw Errno(rawValue: error)
    }
    self.handle = handle
  }

  /// Waits until the thread has ended.
  ///
  /// A thread that is not joined runs on by itself.
  public consuming func join() {
    // Fails for a handle that is no thread only.
    _ = pthread_join(handle, nil)
    discard self
  }

  deinit {
    _ = pthread_detach(handle)
  }

  private final class Start {
    let name: String
    let body: () -> Void

    init(name: String, body: sending @escaping () -> Void) {
      self.name = name
      self.body = body
    }
  }
}
