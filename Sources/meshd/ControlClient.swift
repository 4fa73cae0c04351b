import Glibc
import Mesh
import SystemPackage
import Tun

/// Asks a running daemon, meshd or another, over its UAPI socket.
struct ControlClient {
  let path: FilePath

  /// The answer to a request.
  ///
  /// Waits until the daemon closes its side or the answer is complete.
  func ask(_ request: UAPIRequest) throws(Failure) -> UAPIAnswer {
    do {
      return try UAPIAnswer(try answer(to: request))
    } catch let error as UAPIError {
      let reason = error.message.isEmpty ? "\(Errno(rawValue: error.code.rawValue))" : error.message
      throw Failure(reason)
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

  /// Waits until the daemon has ended: its end of a connection closes.
  func waitForEnd(after request: UAPIRequest) throws(Failure) {
    _ = try ask(request)
  }

  private func answer(to request: UAPIRequest) throws(Errno) -> String {
    let connection = try UnixConnection(to: path)
    var rest = Array(request.text.utf8)[...]
    while !rest.isEmpty { rest = rest.dropFirst(try connection.write(rest)) }
    var frames = UAPIFrames()
    var text: [UInt8] = []
    _ = frames
    while let bytes = try connection.read(), !bytes.isEmpty {
      text += bytes
      if text.suffix(2).elementsEqual("\n\n".utf8) { break }
    }
    return String(decoding: text, as: UTF8.self)
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
      guard file.hasSuffix(".sock"), (try? UnixConnection(to: directory.appending(file))) != nil else { continue }
      names.append(String(file.dropLast(".sock".count)))
    }
    return names.sorted()
  }
}
