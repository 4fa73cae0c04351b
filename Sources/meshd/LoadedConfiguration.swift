import Mesh
import Net
import Noise
import SystemPackage
import Tun

/// A configuration read from a file, ready to be used.
struct LoadedConfiguration {
  /// What the file asks for.
  let configuration: Configuration
  /// Sentences for the log.
  let warnings: [String]

  /// Why there is none; each case prints as one sentence.
  enum Failure: Error, CustomStringConvertible {
    /// The file cannot be read.
    case unreadable(FilePath, Errno)
    /// The file is wrong.
    case malformed(ConfigurationError)

    var description: String {
      switch self {
      case .unreadable(let path, let error): "\(path): cannot be read: \(error)"
      case .malformed(let error): "\(error)"
      }
    }
  }

  /// Reads the file; its preshared keys lie in `arena`.
  ///
  /// A default route gets the mark that keeps our own packets off it, as with wg-quick.
  init(_ path: FilePath, arena: SecretArena = SecretArena()) throws(Failure) {
    let file = StateFile(path)
    let octets: [UInt8]
    let isOpen: Bool
    do {
      octets = try file.read()
      isOpen = try file.isOpenToOthers()
    } catch {
      throw .unreadable(path, error)
    }
    let parsed: ConfigurationFile
    do {
      parsed = try ConfigurationFile(
        parsing: String(decoding: octets, as: UTF8.self), name: path.string, in: arena)
    } catch {
      throw .malformed(error)
    }
    var configuration = parsed.configuration
    let hasDefault = configuration.peers.contains { $0.allowedIPs.contains(where: \.isDefault) }
    let interface = configuration.interface
    if hasDefault, interface.firewallMark == 0, interface.host.table == .auto, !interface.babel {
      configuration.interface.firewallMark = Self.defaultMark
    }
    self.configuration = configuration
    warnings =
      parsed.warnings.map(\.description)
      + (isOpen
        ? ["\(path) holds a private key and others than its owner can read it: chmod 600 \(path)"] : [])
  }

  /// The mark and table that wg-quick takes first.
  private static let defaultMark: UInt32 = 51820
}
