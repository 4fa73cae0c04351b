internal import CCares
internal import Glibc
public import Net
public import SystemPackage

/// Finds the addresses of host names without ever blocking: /etc/hosts first, then DNS.
///
/// The library is c-ares.
///
/// The caller watches one `descriptor` and one `timeout`, calls `process` for either, and takes the answers. While no
/// question is open nothing is kept, so that a changed /etc/resolv.conf counts from the next question on. A resolver
/// belongs to one thread.
@safe
public struct Resolver: ~Copyable {
  /// What became of one question.
  public struct Answer: Sendable, Equatable {
    /// The number that the question was asked under.
    public let token: UInt64
    /// The addresses in the order to try them (RFC 6724); empty if there are none.
    public let addresses: [IPAddress]
    /// How long they count (RFC 1035 §3.2.1); `nil` where nobody says, as for those from /etc/hosts.
    public let timeToLive: Duration?
    /// Why there are none, in the library's words.
    public let failure: String?
  }

  private let sockets: Sockets
  /// The servers to ask instead of the system's, as the library writes them.
  private let servers: String?
  private let inbox = Inbox()
  private var channel: ares_channel?

  /// Makes a resolver without questions.
  public init() throws(Errno) {
    try self.init(servers: nil)
  }

  internal init(servers: String?) throws(Errno) {
    let sockets = try Sockets()
    guard ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS else { throw .noMemory }
    self.sockets = sockets
    self.servers = servers
  }

  deinit {
    // Answers what is open with a cancellation, into an inbox that nobody reads.
    if let channel = unsafe channel { unsafe ares_destroy(channel) }
    ares_library_cleanup()
  }

  /// The descriptor to watch for reading.
  public var descriptor: FileDescriptor { sockets.poller.descriptor }

  /// How long to wait before calling `process` anyway; `nil` while no question is open.
  public var timeout: Duration? {
    guard let channel = unsafe channel else { return nil }
    var time = timeval()
    guard unsafe ares_timeout(channel, nil, &time) != nil else { return nil }
    return .seconds(time.tv_sec) + .microseconds(time.tv_usec)
  }

  /// Asks for all addresses of `name` of both families.
  ///
  /// The answer carries `token`.
  public mutating func lookUp(_ name: String, token: UInt64) {
    // The library would ask a server about some of these.
    if let address = IPAddress(name) {
      inbox.answers.append(Answer(token: token, addresses: [address], timeToLive: nil, failure: nil))
      return
    }
    if unsafe channel == nil { unsafe channel = sockets.makeChannel(servers: servers) }
    guard let channel = unsafe channel else {
      inbox.answers.append(
        Answer(token: token, addresses: [], timeToLive: nil, failure: "no memory for the resolver"))
      return
    }
    inbox.openCount += 1
    let question = Question(token: token, inbox: inbox)
    var hints = ares_addrinfo_hints()
    hints.ai_family = AF_UNSPEC
    // One entry for each address, not one for each kind of socket.
    hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    unsafe ares_getaddrinfo(
      channel, name, nil, &hints,
      { argument, status, _, list in
        guard let argument = unsafe argument else { return }
        unsafe Unmanaged<Question>.fromOpaque(argument).takeRetainedValue().finish(status, list)
      }, Unmanaged.passRetained(question).toOpaque())
    closeWhenIdle()
  }

  /// Goes on with the questions: to be called when the descriptor is readable or the timeout has passed.
  public mutating func process() throws(Errno) {
    guard let channel = unsafe channel else { return }
    try sockets.poller.wait(atMost: .zero)
    let none = ares_socket_t(-1)
    for event in sockets.poller.events {
      let socket = event.token.descriptor
      unsafe ares_process_fd(channel, event.isReadable ? socket : none, event.isWritable ? socket : none)
    }
    unsafe ares_process_fd(channel, none, none)
    closeWhenIdle()
  }

  /// Gives up all open questions, which are answered as failures: the servers may be others by now.
  public mutating func cancel() {
    guard let channel = unsafe channel else { return }
    unsafe ares_destroy(channel)
    unsafe self.channel = nil
  }

  /// The next answer; `nil` if none has come.
  public mutating func nextAnswer() -> Answer? {
    inbox.answers.isEmpty ? nil : inbox.answers.removeFirst()
  }

  private mutating func closeWhenIdle() {
    guard inbox.openCount == 0, let idle = unsafe channel else { return }
    unsafe ares_destroy(idle)
    unsafe channel = nil
  }
}
