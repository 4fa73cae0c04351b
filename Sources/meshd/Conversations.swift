import Mesh
import SystemPackage
import Tun

/// Cuts what a client sends into requests.
protocol RequestFraming {
  init()
  mutating func append(_ bytes: some Collection<UInt8>) throws(UAPIError)
  mutating func next() -> String?
}

extension UAPIFrames: RequestFraming {}
extension LineFrames: RequestFraming {}

/// The clients of a socket: what each has said and is still to be told.
///
/// Reads and writes never block, and a client gets one answer per turn of the loop, so that neither a slow one nor a busy
/// one holds up anybody. One that does not read its answers is not asked for more requests; one that does not read its news
/// is dropped.
struct Conversations<Frames: RequestFraming> {
  private final class Client {
    let connection: StreamConnection
    var frames = Frames()
    /// A request that has come and was not taken yet.
    var request: String?
    var unsent: ArraySlice<UInt8> = []
    var bound = Conversations.slack
    var isAwaitingRoom = false
    /// Whether more of the answer is to come.
    var isAnswering = false
    var isFinished = false

    init(_ connection: consuming StreamConnection) {
      self.connection = connection
    }

    /// Reads once: what else there is waits for the next turn.
    func receive() {
      do {
        guard let octets = try connection.read() else { return }
        isFinished = octets.isEmpty
        try frames.append(octets)
        request = frames.next()
      } catch {
        isFinished = true
      }
    }
  }

  /// Octets of news that may wait for a client, besides an answer it has asked for.
  private static var slack: Int { 1 << 20 }

  private var clients: [UInt64: Client] = [:]
  private var nextToken: UInt64 = 0

  var count: Int { clients.count }

  /// Takes a client; returns a token and a descriptor to watch for reading.
  mutating func add(_ connection: consuming StreamConnection) -> (token: UInt64, descriptor: FileDescriptor) {
    let client = Client(connection)
    nextToken += 1
    clients[nextToken] = client
    return (nextToken, client.connection.descriptor)
  }

  /// The client's next request; `nil` if it has not sent one, or not read the answer to the one before.
  func nextRequest(of token: UInt64) -> String? {
    guard let client = clients[token], client.unsent.isEmpty, !client.isAnswering else { return nil }
    if client.request == nil { client.receive() }
    defer { client.request = client.frames.next() }
    return client.request
  }

  /// Queues what the client has asked for, or a part of it: the next is to be queued when there is room for it.
  func answer(_ token: UInt64, _ text: String, isWhole: Bool = true) {
    guard let client = clients[token] else { return }
    client.unsent.append(contentsOf: text.utf8)
    client.isAnswering = !isWhole
    client.bound = client.unsent.count + Self.slack
  }

  /// Whether everything queued for the client was sent.
  func hasRoom(_ token: UInt64) -> Bool { clients[token]?.unsent.isEmpty == true }

  /// Queues what the client has not asked for at this moment; drops it if it is too far behind.
  func push(_ token: UInt64, _ text: String) {
    guard let client = clients[token] else { return }
    guard client.unsent.count + text.utf8.count <= client.bound else {
      client.unsent = []
      finish(token)
      return
    }
    client.unsent.append(contentsOf: text.utf8)
  }

  /// Closes the connection once everything is sent.
  func finish(_ token: UInt64) {
    clients[token]?.isFinished = true
    clients[token]?.request = nil
  }

  /// What a client's descriptor is to be watched for next.
  enum Progress {
    /// What it is watched for already.
    case unchanged
    /// More requests.
    case reading(FileDescriptor)
    /// Room for the rest of the answer.
    case writing(FileDescriptor)
    /// Nothing: it has gone, and its descriptor is to be forgotten before it closes.
    case finished(FileDescriptor)
  }

  /// Writes what has room of what is queued for a client.
  func proceed(_ token: UInt64) -> Progress {
    guard let client = clients[token] else { return .unchanged }
    let descriptor = client.connection.descriptor
    do {
      while !client.unsent.isEmpty {
        let count = try client.connection.write(client.unsent)
        guard count > 0 else { break }
        client.unsent.removeFirst(count)
      }
    } catch {
      return .finished(descriptor)
    }
    // A request that has been read already gives no sign of its own, so room for its answer is what is waited for.
    let isAwaitingRoom = !client.unsent.isEmpty || client.request != nil || client.isAnswering
    if client.isFinished, !isAwaitingRoom { return .finished(descriptor) }
    guard client.isAwaitingRoom != isAwaitingRoom else { return .unchanged }
    client.isAwaitingRoom = isAwaitingRoom
    return isAwaitingRoom ? .writing(descriptor) : .reading(descriptor)
  }

  /// Closes a finished client's connection.
  mutating func remove(_ token: UInt64) {
    clients[token] = nil
  }
}
