import Mesh
import SystemPackage
import Tun

/// The sockets that speak babeld's monitoring protocol, and their clients.
///
/// Watched from outside as one descriptor.
struct MonitorServer: ~Copyable {
  /// Where a socket is.
  enum Place: Hashable {
    /// In the file system.
    case path(FilePath)
    /// At ::1, for every local user.
    case port(UInt16)
  }

  enum Token: RawRepresentable {
    case listeners
    case client(UInt64)

    init?(rawValue: UInt64) {
      self = rawValue == 0 ? .listeners : .client(rawValue - 1)
    }

    var rawValue: UInt64 {
      switch self {
      case .listeners: 0
      case .client(let token): token + 1
      }
    }
  }

  /// A class, since an array cannot hold what must not be copied.
  private final class Listener {
    let place: Place
    var socket: StreamListener?

    init(_ place: Place) throws(StreamListenerError) {
      self.place = place
      socket =
        switch place {
        case .path(let path): try StreamListener(at: path)
        case .port(let port): try StreamListener(loopbackPort: port)
        }
    }

    var descriptor: FileDescriptor? {
      switch socket {
      case .some(let socket): socket.descriptor
      case nil: nil
      }
    }
  }

  /// Clients at the same time; further ones are turned away.
  private static var capacity: Int { 16 }

  private var poller: Poller<Token>
  private var listeners: [Listener] = []
  private var clients = Conversations<LineFrames>()
  private var followers: Set<UInt64> = []

  /// Makes a server without sockets.
  init() throws(Errno) {
    poller = try Poller()
  }

  /// The descriptor to watch.
  var descriptor: FileDescriptor { poller.descriptor }

  /// Whether any client is told changes.
  var isFollowed: Bool { !followers.isEmpty }

  /// Serves these places and no others; where it throws, those it served before.
  mutating func listen(at places: [Place]) throws(StreamListenerError) {
    var new: [Listener] = []
    do throws(StreamListenerError) {
      for place in places where !(listeners + new).contains(where: { $0.place == place }) {
        let listener = try Listener(place)
        new.append(listener)
        guard let descriptor = listener.descriptor else { continue }
        do {
          try poller.add(descriptor, as: .listeners)
        } catch {
          throw .failed(error, in: "epoll_ctl")
        }
      }
    } catch {
      for listener in new { close(listener) }
      throw error
    }
    for listener in listeners where !places.contains(listener.place) { close(listener) }
    listeners = (listeners + new).filter { places.contains($0.place) }
  }

  private func close(_ listener: Listener) {
    if let descriptor = listener.descriptor { try? poller.remove(descriptor) }
    listener.socket.take()?.remove()
  }

  /// What a client wants to hear.
  enum Request {
    /// The greeting: it has just connected.
    case greeting
    /// The answer to a command.
    case answer(BabeldProtocol.Command)
  }

  /// Takes new clients and what the others have said; each is to be answered, then `proceed` is to be called.
  mutating func takeRequests() -> [(token: UInt64, request: Request)] {
    try? poller.wait(atMost: .zero)
    var requests: [(UInt64, Request)] = []
    let events = poller.events
    for event in events {
      switch event.token {
      case .listeners: requests += acceptClients().map { ($0, .greeting) }
      case .client(let token):
        guard let line = clients.nextRequest(of: token) else {
          // It has room for what is queued, or has left.
          proceed(token)
          continue
        }
        requests.append((token, .answer(BabeldProtocol.Command(line))))
      }
    }
    return requests
  }

  private mutating func acceptClients() -> [UInt64] {
    var new: [UInt64] = []
    for listener in listeners {
      while let connection = try? listener.socket?.accept() {
        guard clients.count < Self.capacity else { continue }
        let (token, descriptor) = clients.add(connection)
        do {
          try poller.add(descriptor, as: .client(token))
          new.append(token)
        } catch {
          clients.remove(token)
        }
      }
    }
    return new
  }

  /// Queues an answer.
  func answer(_ token: UInt64, _ text: String) {
    clients.answer(token, text)
  }

  /// Tells the client changes from now on, or no longer.
  mutating func setFollowing(_ token: UInt64, _ isFollowing: Bool) {
    if isFollowing {
      followers.insert(token)
    } else {
      followers.remove(token)
    }
  }

  /// Closes the connection once everything is sent.
  func finish(_ token: UInt64) {
    clients.finish(token)
  }

  /// Queues a line for the clients that monitor.
  func tell(_ line: String) {
    for token in followers { clients.push(token, line) }
  }

  /// Sends what was queued by `tell`.
  mutating func flush() {
    for token in followers { proceed(token) }
  }

  /// Sends what has room of what is queued for a client.
  mutating func proceed(_ token: UInt64) {
    switch clients.proceed(token) {
    case .unchanged: break
    case .reading(let descriptor): try? poller.update(descriptor, as: .client(token), for: .read)
    case .writing(let descriptor): try? poller.update(descriptor, as: .client(token), for: .write)
    case .finished(let descriptor):
      try? poller.remove(descriptor)
      clients.remove(token)
      followers.remove(token)
    }
  }
}
