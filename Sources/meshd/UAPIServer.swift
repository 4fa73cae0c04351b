import Mesh
import SystemPackage
import Tun

/// The conversations on the UAPI socket.
///
/// Reads and writes never block, so a slow client holds up nobody.
struct UAPIServer: ~Copyable {
  /// One client, and what it has said and is still to be told.
  private final class Client {
    let connection: UnixConnection
    var frames = UAPIFrames()
    var answer: ArraySlice<UInt8> = []
    var isFinished = false

    init(_ connection: consuming UnixConnection) {
      self.connection = connection
    }
  }

  /// Clients at the same time; further ones wait in the kernel's queue.
  private static var capacity: Int { 128 }

  private var listener: UnixListener?
  private var clients: [UInt64: Client] = [:]
  private var nextToken: UInt64 = 0

  /// Serves a socket; without one nobody can ask.
  init(_ listener: consuming UnixListener?) {
    self.listener = listener
  }

  /// The descriptor to watch for clients that want to connect; `nil` once the socket is removed.
  var descriptor: FileDescriptor? {
    switch listener {
    case .some(let listener): listener.descriptor
    case nil: nil
    }
  }

  /// Stops listening and removes the socket's file.
  ///
  /// Clients that are connected stay so.
  mutating func removeSocket() {
    listener.take()?.remove()
  }

  /// Stops listening, but leaves the file: it is no longer ours.
  mutating func abandonSocket() {
    _ = listener.take()
  }

  /// Whether another client can be taken.
  var hasRoom: Bool { clients.count < Self.capacity }

  /// Takes the clients that wait; returns a token and a descriptor to watch for each.
  mutating func accept() -> [(token: UInt64, descriptor: FileDescriptor)] {
    var new: [(UInt64, FileDescriptor)] = []
    while hasRoom {
      // Without a free descriptor the client waits; one of the others will leave.
      guard let connection = try? listener?.accept() else { break }
      let client = Client(connection)
      nextToken += 1
      clients[nextToken] = client
      new.append((nextToken, client.connection.descriptor))
    }
    return new
  }

  /// The complete requests that the client has sent.
  mutating func requests(of token: UInt64) -> [String] {
    guard let client = clients[token] else { return [] }
    var requests: [String] = []
    do {
      while let octets = try client.connection.read() {
        guard !octets.isEmpty else {
          client.isFinished = true
          break
        }
        try client.frames.append(octets)
        while let request = client.frames.next() { requests.append(request) }
      }
    } catch {
      client.isFinished = true
    }
    return requests
  }

  /// Queues an answer.
  mutating func answer(_ token: UInt64, _ text: String) {
    clients[token]?.answer.append(contentsOf: text.utf8)
  }

  /// What a client's descriptor is to be watched for next.
  enum Progress {
    /// More requests.
    case reading
    /// Room for the rest of the answer.
    case writing(FileDescriptor)
    /// Nothing: it has gone, and its descriptor is to be forgotten before it closes.
    case finished(FileDescriptor)
  }

  /// Writes what has room of the answers to a client.
  mutating func proceed(_ token: UInt64) -> Progress {
    guard let client = clients[token] else { return .reading }
    do {
      while !client.answer.isEmpty {
        let count = try client.connection.write(client.answer)
        guard count > 0 else { return .writing(client.connection.descriptor) }
        client.answer.removeFirst(count)
      }
    } catch {
      client.isFinished = true
    }
    return client.isFinished ? .finished(client.connection.descriptor) : .reading
  }

  /// Closes a finished client's connection.
  mutating func remove(_ token: UInt64) {
    clients[token] = nil
  }
}
