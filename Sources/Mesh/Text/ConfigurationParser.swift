internal import Babel
internal import Net
internal import Noise

/// Reads a configuration file line by line.
struct ConfigurationParser {
  typealias Field = ConfigurationLine.Field

  /// A `[Peer]` section; optional members tell what it says from what it leaves out.
  struct PeerSection {
    var header: Field
    var publicKey: PublicKey?
    var presharedKey: PresharedKey??
    var allowedIPs: [(prefix: IPPrefix, field: Field)] = []
    var endpoints: [Configuration.EndpointSource] = []
    var persistentKeepalive: UInt16?
    var babel: Bool?
    var accept: [IPPrefix]?
    var maxPrefixes: Int?
    var babelKeys: [AuthenticationKey] = []
    var filters: [FilterRule] = []
  }

  let file: String
  let arena: SecretArena
  var result = ConfigurationFile(Configuration())
  private var section: ConfigurationKey.Section?
  var interface = Configuration.Interface()
  var peers: [PeerSection] = []
  /// What is announced so far; only looked up.
  var announced: [RouteKey: Metric] = [:]
  /// Where each check stands.
  var checkFields: [Field] = []

  init(file: String, arena: SecretArena) {
    self.file = file
    self.arena = arena
  }

  mutating func read(_ line: ConfigurationLine) throws(ConfigurationError) {
    switch line.content {
    case .blank: break
    case .section(let header): try begin(header)
    case .setting(let key, let value, let isComment): try set(key, value, isComment: isComment)
    case .unreadable(let field):
      throw error(
        at: field, "\(quoted(field.text)) is not a setting",
        "write it as `Key = value`, or put `#` before a comment")
    }
  }

  private mutating func begin(_ header: Field) throws(ConfigurationError) {
    switch header.compact.lowercased() {
    case "[interface]": section = .interface
    case "[peer]":
      section = .peer
      peers.append(PeerSection(header: header))
    default:
      throw error(at: header, "\(quoted(header.text)) is not a section", "use [Interface] or [Peer]")
    }
  }

  private mutating func set(_ key: Field, _ value: Field, isComment: Bool) throws(ConfigurationError) {
    guard let section else {
      throw error(
        at: key, "\(quoted(key.text)) stands before any section", "put [Interface] or [Peer] above it")
    }
    guard let known = ConfigurationKey(key.compact) else {
      throw unknown(key, in: section, isComment: isComment)
    }
    guard known.belongs(to: section) else {
      let other: ConfigurationKey.Section = section == .interface ? .peer : .interface
      throw error(
        at: key, "`\(known.rawValue)` is not a key of \(section.rawValue)", "move it to \(other.rawValue)")
    }
    guard !isComment || known.isAllowedInComment else {
      throw error(
        at: key, "`\(known.rawValue)` is not one of meshd's own keys", "write it without `#meshd:`")
    }
    switch section {
    case .interface: try setInterface(known, value)
    case .peer: try setPeer(known, value)
    }
  }

  private func unknown(
    _ key: Field, in section: ConfigurationKey.Section, isComment: Bool
  ) -> ConfigurationError {
    let keys = ConfigurationKey.allCases.filter {
      $0.belongs(to: section) && (!isComment || $0.isAllowedInComment)
    }
    let elsewhere: ConfigurationKey.Section = section == .interface ? .peer : .interface
    let hint =
      ConfigurationKey.nearest(to: key.compact, among: keys).map { "did you mean `\($0.rawValue)`?" }
      ?? ConfigurationKey.nearest(to: key.compact, among: ConfigurationKey.allCases).map {
        "did you mean `\($0.rawValue)`, which belongs into \(elsewhere.rawValue)?"
      } ?? "take it out, or put `#` before it to keep it as a comment"
    return error(at: key, "\(quoted(key.text)) is not a key of \(section.rawValue)", hint)
  }

  func error(at field: Field, _ message: String, _ hint: String) -> ConfigurationError {
    ConfigurationError(file: file, line: field.line, column: field.column, message: message, hint: hint)
  }

  mutating func warn(at field: Field, _ message: String) {
    result.warnings.append(
      ConfigurationWarning(file: file, line: field.line, column: field.column, message: message))
  }
}
