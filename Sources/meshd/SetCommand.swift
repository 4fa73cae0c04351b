import ArgumentParser
import Mesh
import SystemPackage
import Tun

/// `meshd set`.
struct SetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Change the current configuration, add peers, remove peers, or change peers",
    usage: """
      meshd set <interface> [listen-port <port>] [fwmark <mark>] [private-key <file path>] \
      [peer <base64 public key> [remove] [preshared-key <file path>] \
      [endpoint <host>:<port>[,<host>:<port>]...] [persistent-keepalive <interval seconds>] \
      [allowed-ips [+|-]<ip1>/<cidr1>[,[+|-]<ip2>/<cidr2>]...] [babel on | off | inherit] ]...
      """)

  @OptionGroup var socket: SocketOptions
  @Argument var interface: String
  @Argument(parsing: .allUnrecognized) var words: [String]

  func run() throws {
    let changes: [UAPIChange]
    do {
      changes = try SetArguments.changes(words, readKeyFile: Self.readKeyFile)
    } catch {
      throw Failure(error.description)
    }
    do {
      try socket.client(of: interface).ask(.set(changes))
    } catch {
      throw Failure("Unable to modify interface: \(error)")
    }
  }

  private static func readKeyFile(_ path: String) throws(SetArguments.Failure) -> String {
    do {
      return String(decoding: try StateFile(FilePath(path)).read(limit: 4096), as: UTF8.self)
    } catch {
      throw SetArguments.Failure("\(path): \(error)")
    }
  }
}
