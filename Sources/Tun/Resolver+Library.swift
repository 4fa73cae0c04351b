internal import CCares
internal import Glibc
internal import Net
internal import SystemPackage

extension Resolver {
  /// A descriptor of the library's, as a poller's token.
  internal struct Socket: RawRepresentable {
    let descriptor: ares_socket_t

    init(_ descriptor: ares_socket_t) {
      self.descriptor = descriptor
    }

    init?(rawValue: UInt64) {
      self.init(ares_socket_t(truncatingIfNeeded: rawValue))
    }

    var rawValue: UInt64 { UInt64(truncatingIfNeeded: descriptor) }
  }

  /// The descriptors that the library wants watched.
  ///
  /// It adds and removes them as it likes; outside they are one.
  internal final class Sockets {
    var poller: Poller<Socket>
    private var watched: Set<ares_socket_t> = []

    init() throws(Errno) {
      poller = try Poller()
    }

    /// Opens the library's state, which reads the system's configuration; `nil` if there is no memory.
    func makeChannel(servers: String?) -> ares_channel? {
      var options = unsafe ares_options()
      unsafe options.timeout = 2000
      unsafe options.tries = 3
      unsafe options.sock_state_cb = { owner, socket, readable, writable in
        guard let owner = unsafe owner else { return }
        unsafe Unmanaged<Sockets>.fromOpaque(owner).takeUnretainedValue()
          .watch(socket, isReading: readable != 0, isWriting: writable != 0)
      }
      unsafe options.sock_state_cb_data = Unmanaged.passUnretained(self).toOpaque()
      var channel: ares_channel?
      let mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB
      guard unsafe ares_init_options(&channel, &options, mask) == ARES_SUCCESS else { return nil }
      if let servers { _ = unsafe ares_set_servers_ports_csv(channel, servers) }
      return unsafe channel
    }

    private func watch(_ socket: ares_socket_t, isReading: Bool, isWriting: Bool) {
      let descriptor = FileDescriptor(rawValue: socket)
      var interest: Poller<Socket>.Interest = []
      if isReading { interest.insert(.read) }
      if isWriting { interest.insert(.write) }
      do throws(Errno) {
        if interest.isEmpty {
          guard watched.remove(socket) != nil else { return }
          try poller.remove(descriptor)
        } else if watched.insert(socket).inserted {
          try poller.add(descriptor, as: Socket(socket), for: interest)
        } else {
          try poller.update(descriptor, as: Socket(socket), for: interest)
        }
      } catch {
        // The question then ends by its timeout.
        watched.remove(socket)
      }
    }
  }

  /// Where answers arrive.
  internal final class Inbox {
    var answers: [Answer] = []
    var openCount = 0
  }

  /// One open question, owned by the library until it is answered.
  internal final class Question {
    private let token: UInt64
    private let inbox: Inbox

    init(token: UInt64, inbox: Inbox) {
      self.token = token
      self.inbox = inbox
    }

    /// Takes the library's answer.
    @unsafe
    func finish(_ status: Int32, _ list: UnsafeMutablePointer<ares_addrinfo>?) {
      inbox.openCount -= 1
      var addresses: [IPAddress] = []
      var seconds: Int32?
      if let list = unsafe list {
        var node = unsafe list.pointee.nodes
        while let entry = unsafe node {
          seconds = Self.shorter(unsafe entry.pointee.ai_ttl, seconds)
          let name = unsafe RawSpan(
            _unsafeStart: UnsafeRawPointer(entry.pointee.ai_addr), byteCount: Int(entry.pointee.ai_addrlen))
          if let endpoint = SocketAddress.read(name), !addresses.contains(endpoint.address) {
            addresses.append(endpoint.address)
          }
          unsafe node = entry.pointee.ai_next
        }
        // An address behind another name counts as long as both do.
        var name = unsafe list.pointee.cnames
        while let entry = unsafe name {
          seconds = Self.shorter(unsafe entry.pointee.ttl, seconds)
          unsafe name = entry.pointee.next
        }
        unsafe ares_freeaddrinfo(list)
      }
      let failure = status == ARES_SUCCESS ? nil : unsafe String(cString: ares_strerror(status))
      inbox.answers.append(
        Answer(
          token: token, addresses: addresses, timeToLive: seconds.map { .seconds($0) }, failure: failure))
    }

    /// The library says 0 where there is no time to live.
    private static func shorter(_ new: Int32, _ old: Int32?) -> Int32? {
      new > 0 ? min(new, old ?? .max) : old
    }
  }
}
