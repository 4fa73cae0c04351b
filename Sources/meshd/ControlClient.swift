import Glibc
import Mesh
import SystemPackage
import Tun

/// Asks a running daemon, meshd or another, over its UAPI socket.
struct ControlClient {
  let path: FilePath

  /// The answer to a request.
  ///
  /// With `untilEnd` it waits until the daemon closes its side, as one does that is ending.
  @discardableResult
  func ask(_ request: UAPIRequest, untilEnd: Bool = false) throws(Failure) -> UAPIAnswer {
    do {
      return try UAPIAnswer(try answer(to: request, untilEnd: untilEnd))
    } catch {
      throw Self.failure(of: request, error)
    }
  }

  /// Takes the lines of an answer that does not end, one by one, until the daemon closes its side.
  func follow(_ request: UAPIRequest, take: (Substring) -> Void) throws(Failure) {
    do {
      let connection = try StreamConnection(to: path)
      try Self.send(request, through: connection)
      var rest: [UInt8] = []
      var isAccepted = false
      while let octets = try connection.read(), !octets.isEmpty {
        rest += octets
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
        let text = String(decoding: rest[...end], as: UTF8.self)
        rest.removeFirst(end + 1)
        for line in text.split(separator: "\n") {
          guard line.hasPrefix("line=") else {
            _ = try UAPIAnswer(text)
            continue
          }
          isAccepted = true
          take(line.dropFirst("line=".count))
        }
      }
      _ = isAccepted ? nil : try UAPIAnswer("")
    } catch {
      throw Self.failure(of: request, error)
    }
    throw Failure("the daemon has ended, or we read too slowly")
  }

  private static func failure(of request: UAPIRequest, _ error: any Error) -> Failure {
    switch error {
    case let error as UAPIError where error.message.isEmpty:
      // To a command of its own meshd always gives a sentence.
      if case .command = request { return Failure("its daemon is not meshd") }
      return Failure("\(Errno(rawValue: error.code.rawValue))")
    case let error as UAPIError: return Failure(error.message)
    case let error as Errno:
      return Failure("\(error == .noSuchFileOrDirectory ? Errno(rawValue: ENODEV) : error)")
    default: return Failure("\(error)")
    }
  }

  private static func send(_ request: UAPIRequest, through connection: borrowing StreamConnection)
    throws(Errno)
  {
    var rest = Array(request.text.utf8)[...]
    while !rest.isEmpty { rest = rest.dropFirst(try connection.write(rest)) }
  }

  /// What `command=show` tells, or `get=1` where the daemon is not meshd.
  func status(of interface: String) throws(Failure) -> Status {
    var status: Status
    do {
      status = try ask(.command(.show)).status
    } catch {
      status = try ask(.get).status
    }
    status.interfaceName = interface
    return status
  }

  private func answer(to request: UAPIRequest, untilEnd: Bool) throws(Errno) -> String {
    let connection = try StreamConnection(to: path)
    try Self.send(request, through: connection)
    var answer: [UInt8] = []
    while let octets = try connection.read(), !octets.isEmpty {
      answer += octets
      if !untilEnd, answer.suffix(2).elementsEqual("\n\n".utf8) { break }
    }
    return String(decoding: answer, as: UTF8.self)
  }

  private static func isServed(_ path: FilePath) -> Bool {
    do {
      _ = try StreamConnection(to: path)
      return true
    } catch {
      // Left behind by a daemon that was killed, or not ours to see.
      return false
    }
  }

  /// The names of the sockets in `directory` that a daemon answers on.
  static func interfaces(in directory: FilePath) throws(Errno) -> [String] {
    guard let stream = unsafe opendir(directory.string) else {
      let error = Errno(rawValue: errno)
      if error == .noSuchFileOrDirectory { return [] }
      throw error
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let file = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard file.hasSuffix(".sock"), isServed(directory.appending(file)) else { continue }
      names.append(String(file.dropLast(".sock".count)))
    }
    return names.sorted()
  }
}
