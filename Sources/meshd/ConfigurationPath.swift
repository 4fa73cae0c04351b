import Glibc
import Mesh
import SystemPackage
import Tun

/// The configuration file that a word on the command line means, and its interface.
///
/// As with wg-quick: a path ends in `INTERFACE.conf`; a bare name stands for the file of that name in /etc/meshd, then
/// in /etc/wireguard.
struct ConfigurationPath {
  static let directories: [FilePath] = ["/etc/meshd", "/etc/wireguard"]

  let file: StateFile
  let interface: String

  init(_ word: String) throws(Failure) {
    let path = Self.isInterfaceName(word) ? Self.find(word) : FilePath(word)
    let name = path.lastComponent?.stem ?? ""
    guard path.extension == "conf", Self.isInterfaceName(name) else {
      throw Failure("The config file must be a valid interface name, followed by .conf")
    }
    file = StateFile(path)
    interface = name
  }

  /// Whether the file is there.
  var exists: Bool { Self.exists(file.path) }

  /// The text of the file, with a warning if others may read its secrets.
  func read() throws(Failure) -> String {
    do {
      if try file.isOpenToOthers() { complain("Warning: `\(file.path)' is accessible to others") }
      return String(decoding: try file.read(), as: UTF8.self)
    } catch {
      throw Failure(
        error == .noSuchFileOrDirectory ? "`\(file.path)' does not exist" : "\(file.path): \(error)")
    }
  }

  /// The parsed file; its warnings go to standard error.
  func parse() throws(Failure) -> ConfigurationFile {
    try parse(try read())
  }

  /// What `text` says, which came from the file; its warnings go to standard error.
  func parse(_ text: String) throws(Failure) -> ConfigurationFile {
    do {
      let parsed = try ConfigurationFile(parsing: text, name: file.path.string)
      for warning in parsed.warnings { complain(warning.description) }
      return parsed
    } catch {
      throw Failure(error.description)
    }
  }

  /// The file's absolute path, for a daemon that has another working directory.
  func absolute() throws(Failure) -> String {
    guard let path = unsafe realpath(file.path.string, nil) else {
      throw Failure("\(file.path): \(Errno(rawValue: errno))")
    }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }

  private static func exists(_ path: FilePath) -> Bool {
    unsafe access(path.string, F_OK) == 0
  }

  private static func find(_ name: String) -> FilePath {
    let candidates = directories.map { $0.appending("\(name).conf") } + [FilePath(name)]
    return candidates.first { exists($0) } ?? candidates[0]
  }

  /// wg-quick's rule: 1 to 15 of letters, digits and `_=+.-`.
  private static func isInterfaceName(_ text: String) -> Bool {
    let isAllowed = text.utf8.allSatisfy { octet in
      switch octet {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "_=+.-".utf8.contains(octet)
      }
    }
    return isAllowed && InterfaceName(text) != nil
  }
}
