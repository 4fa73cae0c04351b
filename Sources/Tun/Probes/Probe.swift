internal import Glibc
public import Net
public import SystemPackage

/// One question to a host, and the wait for its answer.
///
/// Never blocks: call `proceed` whenever the descriptor has news. Who loses patience drops it. Control thread.
public struct Probe: ~Copyable {
  /// How far it has come.
  public enum Progress: Sendable, Equatable {
    /// No answer yet.
    case waiting
    /// A good answer.
    case answered
    /// A bad answer, or none that can come any more.
    case failed(String)
  }

  private enum Stage {
    case echo(EchoMessage, isRaw: Bool)
    case connecting(request: String?)
    case reading([UInt8])
  }

  private let socket: OwnedDescriptor
  private var stage: Stage

  /// Sends an echo request.
  ///
  /// - Throws: `notPermitted` where the process may use neither kind of socket that sends pings.
  public init(pinging address: IPAddress, identifier: UInt16, sequence: UInt16) throws(Errno) {
    let echo = try EchoSocket(address.family)
    let message = EchoMessage(address.family, identifier: identifier, sequence: sequence)
    let number = echo.descriptor.rawValue
    try SocketAddress.connect(number, to: Endpoint(address: address, port: 0))
    let request = message.request
    _ = try systemCall { unsafe send(number, request, request.count, Int32(MSG_NOSIGNAL)) }
    stage = .echo(message, isRaw: echo.isRaw)
    socket = echo.descriptor
  }

  /// Opens a TCP connection; that it opens is the answer.
  public init(connectingTo endpoint: Endpoint) throws(Errno) {
    try self.init(endpoint, request: nil)
  }

  /// Asks for a page by HTTP; a status from 200 to 399 is a good answer.
  public init(getting path: String, from endpoint: Endpoint) throws(Errno) {
    let request = """
      GET \(path) HTTP/1.1\r
      Host: \(endpoint)\r
      User-Agent: meshd\r
      Accept: */*\r
      Connection: close\r
      \r\n
      """
    try self.init(endpoint, request: request)
  }

  private init(_ endpoint: Endpoint, request: String?) throws(Errno) {
    let domain = endpoint.address.family == .v4 ? AF_INET : AF_INET6
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let socket = try OwnedDescriptor { Glibc.socket(domain, type, 0) }
    do {
      try SocketAddress.connect(socket.rawValue, to: endpoint)
    } catch {
      guard error == .nowInProgress else { throw error }
    }
    self.socket = socket
    stage = .connecting(request: request)
  }

  /// Whether the process may send pings of this family.
  public static func mayPing(_ family: AddressFamily) -> Bool {
    do {
      _ = try EchoSocket(family)
      return true
    } catch {
      // A machine without the family has another reason to fail, and tells it with each ping.
      return error != .notPermitted
    }
  }

  /// The descriptor to watch.
  public var descriptor: FileDescriptor { socket.descriptor }

  /// Whether to watch it for writing; else for reading.
  public var awaitsWriting: Bool {
    if case .connecting = stage { true } else { false }
  }

  /// Goes on; `awaitsWriting` may have changed.
  public mutating func proceed() -> Progress {
    do throws(Errno) {
      switch stage {
      case .echo(let message, let isRaw): return try readEcho(message, isRaw: isRaw)
      case .connecting(let request): return try finishConnecting(request)
      case .reading(let octets): return try readAnswer(octets)
      }
    } catch {
      return error == .wouldBlock ? .waiting : .failed("\(error)")
    }
  }
}

extension Probe {
  private func readEcho(_ message: EchoMessage, isRaw: Bool) throws(Errno) -> Progress {
    while true {
      let packet = try receive(limit: 1 << 16)
      if message.isAnswered(by: unsafe packet.span.bytes, isRaw: isRaw) { return .answered }
    }
  }

  private mutating func finishConnecting(_ request: String?) throws(Errno) -> Progress {
    var error: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    _ = try systemCall { unsafe getsockopt(socket.rawValue, SOL_SOCKET, SO_ERROR, &error, &length) }
    guard error == 0 else { return .failed("\(Errno(rawValue: error))") }
    guard let request else { return .answered }
    let octets = Array(request.utf8)
    let count = try systemCall { unsafe send(socket.rawValue, octets, octets.count, Int32(MSG_NOSIGNAL)) }
    guard count == octets.count else { return .failed("the connection takes no request") }
    stage = .reading([])
    return .waiting
  }

  private mutating func readAnswer(_ former: [UInt8]) throws(Errno) -> Progress {
    let new = try receive(limit: HTTPStatusLine.limit)
    let octets = former + new
    do throws(HTTPStatusLine.Malformed) {
      guard let line = try HTTPStatusLine(octets) else {
        guard !new.isEmpty else { return .failed("the connection ended without an answer") }
        stage = .reading(octets)
        return .waiting
      }
      return line.isSuccess ? .answered : .failed("HTTP status \(line.code)")
    } catch {
      return .failed("the answer is not HTTP")
    }
  }

  private func receive(limit: Int) throws(Errno) -> [UInt8] {
    var octets = [UInt8](repeating: 0, count: limit)
    let count = try systemCall { unsafe recv(socket.rawValue, &octets, limit, 0) }
    octets.removeLast(limit - count)
    return octets
  }
}
