import ArgumentParser
import Glibc
import Mesh
import Net
import Noise
import SystemPackage

/// `meshd genkey`.
struct GenKey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "genkey", abstract: "Generates a new private key and writes it to stdout",
    usage: "meshd genkey")

  func run() throws {
    warnIfWorldReadable()
    var generator = SystemRandomNumberGenerator()
    guard let key = PrivateKey.generate(using: &generator) else {
      throw Failure("meshd: no guarded memory for a key")
    }
    print(key.base64)
  }
}

/// `meshd genpsk`.
struct GenPSK: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "genpsk", abstract: "Generates a new preshared key and writes it to stdout",
    usage: "meshd genpsk")

  func run() throws {
    warnIfWorldReadable()
    var generator = SystemRandomNumberGenerator()
    print(PresharedKey(using: &generator).base64)
  }
}

/// `meshd pubkey`.
struct PubKey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pubkey", abstract: "Reads a private key from stdin and writes a public key to stdout",
    usage: "meshd pubkey")

  func run() throws {
    let text = try standardInput()
    guard text.count >= 44 else { throw Failure("meshd: Key is not the correct length or format") }
    guard text[44...].allSatisfy({ $0 == 0 || $0 == 0x20 || (9...13).contains($0) }) else {
      throw Failure("meshd: Trailing characters found after key")
    }
    guard let key = PrivateKey(base64: String(decoding: text[..<44], as: UTF8.self)) else {
      throw Failure("meshd: Key is not the correct length or format")
    }
    print(key.publicKey.base64)
  }

  /// Standard input, as far as a key and what may follow it can reach.
  private func standardInput() throws(Failure) -> [UInt8] {
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while text.count < 1 << 16 {
      let count = unsafe read(STDIN_FILENO, &chunk, chunk.count)
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure("meshd: standard input: \(Errno(rawValue: errno))")
      }
      text += chunk[..<count]
    }
    return text
  }
}

/// `meshd addr`.
struct Addr: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "addr", abstract: "Shows the addresses that are derived from a public key",
    usage: "meshd addr <base64 public key>")

  @Argument var key: String

  func run() throws {
    guard let key = PublicKey(base64: key) else {
      throw Failure("Key is not the correct length or format: `\(key)'")
    }
    let derived = DerivedAddresses(of: key)
    print("link-local: \(derived.linkLocal)")
    print("router-id: \(derived.routerID)")
  }
}

/// `wg` warns alike when a secret goes to a file that everyone may read.
private func warnIfWorldReadable() {
  var status = stat()
  guard unsafe fstat(STDOUT_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
    status.st_mode & S_IRWXO != 0
  else { return }
  complain("Warning: writing to world accessible file.")
  complain("Consider setting the umask to 077 and trying again.")
}
