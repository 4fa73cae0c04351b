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
    } catch let error as UAPIError {
      throw Failure(error.message.isEmpty ? "\(Errno(rawValue: error.code.rawValue))" : error.message)
    } catch let error as Errno {
      throw Failure("\(error == .noSuchFileOrDirectory ? Errno(rawValue: ENODEV) : error)")
    } catch {
      throw Failure("\(error)")
    }
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
    let connection = try UnixConnection(to: path)
    var rest = Array(request.text.utf8)[...]
    while !rest.isEmpty { rest = rest.dropFirst(try connection.write(rest)) }
    var answer: [UInt8] = []
    while let octets = try connection.read(), !octets.isEmpty {
      answer += octets
      if !untilEnd, answer.suffix(2).elementsEqual("\n\n".utf8) { break }
    }
    return String(decoding: answer, as: UTF8.self)
  }

  private static func isServed(_ path: FilePath) -> Bool {
    do {
      _ = try UnixConnection(to: path)
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
