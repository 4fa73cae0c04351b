import Mesh
import SystemPackage
import Tun

/// The UAPI socket, its clients, and those of them that follow what happens.
struct UAPIServer: ~Copyable {
  /// Clients at the same time; further ones wait in the kernel's queue.
  private static var capacity: Int { 128 }

  private var listener: StreamListener?
  private(set) var clients = Conversations<UAPIFrames>()
  /// The clients that are told every event, each in its form.
  private(set) var followers: [UInt64: UAPIRequest.Form] = [:]

  /// The tables that clients have asked for and not seen the end of.
  var listings: [UInt64: TableListing] = [:]

  /// Serves a socket; without one nobody can ask.
  init(_ listener: consuming StreamListener?) {
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
      new.append(clients.add(connection))
    }
    return new
  }

  /// Tells the client every event from now on.
  mutating func follow(_ token: UInt64, _ form: UAPIRequest.Form) {
    followers[token] = form
  }

  /// Tells the followers of an event at `time`, wall-clock nanoseconds since 1970.
  func tell(_ event: MonitorEvent, at time: Int64) {
    for (token, form) in followers {
      let line = form == .json ? event.json(at: time) : event.text(at: time)
      clients.push(token, UAPIResponse.line(line))
    }
  }

  /// Closes a finished client's connection.
  mutating func remove(_ token: UInt64) {
    clients.remove(token)
    followers[token] = nil
    listings[token] = nil
  }
}
