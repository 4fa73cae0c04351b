internal import CLinux
internal import Glibc
public import SystemPackage

/// Waits for the first of many descriptors, level-triggered.
///
/// The corresponding C functions are `epoll_*`.
///
/// Each descriptor is watched under a token of the caller's own type, so that a loop is a `switch` over what happened.
/// A poller belongs to one thread.
@safe
public struct Poller<Token: RawRepresentable>: ~Copyable where Token.RawValue == UInt64 {
  /// What to wait for.
  ///
  /// Errors and hang-ups are always reported.
  public struct Interest: OptionSet, Sendable {
    /// The bits of `struct epoll_event`.
    public let rawValue: UInt32

    /// Makes a set from bits.
    public init(rawValue: UInt32) {
      self.rawValue = rawValue
    }

    /// Something can be read, or a connection accepted.
    public static var read: Interest { Interest(rawValue: EPOLLIN.rawValue) }
    /// Something can be written.
    public static var write: Interest { Interest(rawValue: EPOLLOUT.rawValue) }
  }

  /// One descriptor's news.
  public struct Event {
    /// Whose.
    public let token: Token
    fileprivate let bits: UInt32

    /// Whether a read returns at once: data, the end of the stream or an error.
    public var isReadable: Bool { bits & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
    /// Whether a write returns at once.
    public var isWritable: Bool { bits & (EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
    /// Whether an error waits: a datagram socket goes on for all that.
    public var hasErrors: Bool { bits & EPOLLERR.rawValue != 0 }
    /// Whether the other side or the device has gone.
    public var hasEnded: Bool { bits & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
  }

  private let epoll: OwnedDescriptor
  private let buffer: UnsafeMutableBufferPointer<epoll_event>

  /// The news of the last `wait`.
  public private(set) var events: [Event] = []

  /// Makes a poller that reports at most `capacity` descriptors per wait.
  public init(capacity: Int = 32) throws(Errno) {
    precondition(capacity > 0)
    epoll = try OwnedDescriptor { epoll_create1(Int32(EPOLL_CLOEXEC)) }
    unsafe buffer = .allocate(capacity: capacity)
    events.reserveCapacity(capacity)
  }

  deinit {
    unsafe buffer.deallocate()
  }

  /// The poller's own descriptor, readable when one of its descriptors has news: pollers nest.
  public var descriptor: FileDescriptor { epoll.descriptor }

  /// Starts watching a descriptor.
  ///
  /// The caller removes it before closing it.
  public func add(_ descriptor: FileDescriptor, as token: Token, for interest: Interest = .read)
    throws(Errno)
  {
    try control(EPOLL_CTL_ADD, descriptor, token, interest)
  }

  /// Changes what a watched descriptor is watched for.
  public func update(_ descriptor: FileDescriptor, as token: Token, for interest: Interest) throws(Errno) {
    try control(EPOLL_CTL_MOD, descriptor, token, interest)
  }

  /// Stops watching a descriptor.
  public func remove(_ descriptor: FileDescriptor) throws(Errno) {
    _ = try systemCall { epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, descriptor.rawValue, nil) }
  }

  /// Waits until a descriptor has news or `timeout` has passed; `nil` waits for ever.
  ///
  /// The news are in `events`.
  ///
  /// Timeouts are rounded up to milliseconds, so that a deadline is over when the call returns for it. An interrupting
  /// signal ends the wait early, without news.
  public mutating func wait(atMost timeout: Duration?) throws(Errno) {
    events.removeAll(keepingCapacity: true)
    let milliseconds = timeout.map { Self.milliseconds(roundingUp: $0) } ?? -1
    let count = unsafe epoll_wait(epoll.rawValue, buffer.baseAddress, Int32(buffer.count), milliseconds)
    guard count >= 0 else {
      let error = Errno.latest
      if error == .interrupted { return }
      throw error
    }
    for index in 0..<Int(count) {
      let event = unsafe buffer[index]
      guard let token = unsafe Token(rawValue: event.data.u64) else { continue }
      events.append(Event(token: token, bits: unsafe event.events))
    }
  }

  private func control(
    _ operation: Int32, _ descriptor: FileDescriptor, _ token: Token, _ interest: Interest
  ) throws(Errno) {
    var event = unsafe epoll_event()
    unsafe event.events = interest.rawValue
    unsafe event.data.u64 = token.rawValue
    _ = try systemCall { unsafe epoll_ctl(epoll.rawValue, operation, descriptor.rawValue, &event) }
  }

  private static func milliseconds(roundingUp duration: Duration) -> Int32 {
    let (seconds, attoseconds) = duration.components
    guard duration > .zero else { return 0 }
    guard seconds < Int64(Int32.max) / 1000 - 1 else { return .max }
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
