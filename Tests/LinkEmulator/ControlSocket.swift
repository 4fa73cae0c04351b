import SystemPackage
import Tun

/// The conversations on the control socket: a client writes lines, says that nothing follows, and gets one answer.
///
/// One client at a time; the others wait in the kernel's queue.
struct ControlSocket: ~Copyable {
  private let listener: StreamListener
  private var client: StreamConnection?
  private var request: [UInt8] = []

  init(at path: FilePath) throws(StreamListenerError) {
    listener = try StreamListener(at: path)
  }

  /// The descriptor to watch: that of the client, if there is one.
  var descriptor: FileDescriptor {
    switch client {
    case .some(let client): client.descriptor
    case nil: listener.descriptor
    }
  }

  /// Takes the next client, if there is none.
  mutating func accept() throws(Errno) {
    if client == nil { client = try listener.accept() }
  }

  /// Reads what the client has said, without waiting; returns its lines once they are complete.
  mutating func lines() throws(Errno) -> [String]? {
    while let octets = try client?.read() {
      request += octets
      guard octets.isEmpty else { continue }
      return String(decoding: request, as: UTF8.self).split(separator: "\n").map { String($0) }
    }
    return nil
  }

  /// Tells the client something.
  ///
  /// It is far less than a socket's buffer, and a client that has gone does not want it.
  func answer(_ text: String) {
    _ = try? client?.write(Array(text.utf8)[...])
  }

  /// Ends the conversation; the client's descriptor closes.
  mutating func hangUp() {
    client = nil
    request = []
  }
}
