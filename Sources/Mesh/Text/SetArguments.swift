internal import Net
internal import Noise

/// The words of `meshd set INTERFACE …`, which are those of `wg set`, and `babel`.
public enum SetArguments {
  /// Why the words are not understood, in the words of `wg`.
  public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    /// Makes a failure.
    public init(_ description: String) {
      self.description = description
    }
  }

  /// The changes that the words ask for.
  ///
  /// `readKeyFile` gives the text of the file a key stands in: secrets are not for command lines.
  public static func changes(
    _ words: [String], readKeyFile: (String) throws(Failure) -> String
  ) throws(Failure) -> [UAPIChange] {
    var changes: [UAPIChange] = []
    var rest = words[...]
    var inPeer = false
    while let word = rest.popFirst() {
      switch (word, inPeer) {
      case ("peer", _):
        let text = try value(of: word, &rest)
        guard let key = PublicKey(base64: text) else { throw badKey(text) }
        changes.append(.peer(key))
        inPeer = true
      case ("remove", true):
        changes.append(.remove)
      case (_, false):
        changes.append(try deviceChange(word, &rest, readKeyFile))
      case (_, true):
        changes += try peerChanges(word, &rest, readKeyFile)
      }
    }
    return changes
  }

  private static func deviceChange(
    _ word: String, _ rest: inout ArraySlice<String>, _ readKeyFile: (String) throws(Failure) -> String
  ) throws(Failure) -> UAPIChange {
    switch word {
    case "listen-port":
      let text = try value(of: word, &rest)
      guard let port = UInt16(decimal: text) else { throw Failure("Port is not 0-65535: `\(text)'") }
      return .listenPort(port)
    case "fwmark":
      let text = try value(of: word, &rest)
      guard let mark = text.lowercased() == "off" ? 0 : UInt32(decimalOrHex: text) else {
        throw Failure("Fwmark is neither 0/off nor 0-0xffffffff: `\(text)'")
      }
      return .firewallMark(mark)
    case "private-key":
      let text = try key(in: try value(of: word, &rest), readKeyFile)
      guard let text else { return .privateKey(nil) }
      guard let key = PrivateKey(base64: text) else {
        throw Failure("Key is not the correct length or format")
      }
      return .privateKey(key)
    default: throw Failure("Invalid argument: \(word)")
    }
  }

  private static func peerChanges(
    _ word: String, _ rest: inout ArraySlice<String>, _ readKeyFile: (String) throws(Failure) -> String
  ) throws(Failure) -> [UAPIChange] {
    switch word {
    case "endpoint":
      return try endpoints(try value(of: word, &rest))
    case "allowed-ips":
      return try allowedIPs(try value(of: word, &rest))
    case "persistent-keepalive":
      let text = try value(of: word, &rest)
      guard let seconds = text.lowercased() == "off" ? 0 : UInt16(decimal: text) else {
        throw Failure("Persistent keepalive interval is neither 0/off nor 1-65535: `\(text)'")
      }
      return [.persistentKeepalive(seconds)]
    case "preshared-key":
      let text = try key(in: try value(of: word, &rest), readKeyFile)
      guard let text else { return [.presharedKey(nil)] }
      guard let key = PresharedKey(base64: text) else {
        throw Failure("Key is not the correct length or format")
      }
      return [.presharedKey(key)]
    case "babel":
      let text = try value(of: word, &rest)
      guard ["on", "off", "inherit"].contains(text) else {
        throw Failure("Babel is neither on, off nor inherit: `\(text)'")
      }
      return [.babel(text == "inherit" ? nil : text == "on")]
    default: throw Failure("Invalid argument: \(word)")
    }
  }

  private static func value(of word: String, _ rest: inout ArraySlice<String>) throws(Failure) -> String {
    guard let value = rest.popFirst() else { throw Failure("Invalid argument: \(word)") }
    return value
  }

  /// One numeric endpoint is WireGuard's own line, which every daemon takes; more, or names, are meshd's.
  private static func endpoints(_ text: String) throws(Failure) -> [UAPIChange] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    var endpoints: [Configuration.EndpointSource] = []
    for part in parts {
      guard let endpoint = Configuration.EndpointSource(part) else {
        throw Failure("Unable to parse endpoint: `\(part)'")
      }
      endpoints.append(endpoint)
    }
    guard let first = endpoints.first else { return [] }
    if endpoints.count == 1, case .address = first { return [.endpoint(first)] }
    return [.replaceEndpoints] + endpoints.map { .additionalEndpoint($0) }
  }

  private static func allowedIPs(_ text: String) throws(Failure) -> [UAPIChange] {
    let list = text.filter { !$0.isWhitespace }
    var changes: [UAPIChange] = []
    var replaces = true
    for part in list.split(separator: ",", omittingEmptySubsequences: false) where !list.isEmpty {
      let isIncremental = part.hasPrefix("+") || part.hasPrefix("-")
      guard let prefix = IPPrefix(isIncremental ? part.dropFirst() : part) else {
        throw Failure("AllowedIP is not in the correct format: `\(part)'")
      }
      if isIncremental { replaces = false }
      changes.append(part.hasPrefix("-") ? .removeAllowedIP(prefix) : .allowedIP(prefix))
    }
    return (replaces ? [.replaceAllowedIPs] : []) + changes
  }

  /// The text of a key; `nil` for an empty file, which removes the key.
  private static func key(
    in path: String, _ readKeyFile: (String) throws(Failure) -> String
  ) throws(Failure) -> String? {
    let text = try readKeyFile(path)
    guard !text.isEmpty else { return nil }
    let key = String(text.prefix(44))
    guard text.dropFirst(44).allSatisfy(\.isWhitespace) else {
      throw Failure("Found trailing characters in key file `\(path)'")
    }
    return key == String(repeating: "A", count: 43) + "=" ? nil : key
  }

  private static func badKey(_ text: String) -> Failure {
    Failure("Key is not the correct length or format: `\(text)'")
  }
}
