public import Noise

/// A configuration file: wg-quick's INI with meshd's keys.
///
/// A file without meshd's keys means what it means to wg-quick. meshd's keys stand in it plainly, or behind
/// `#meshd:` where stock tools take them for a comment.
public struct ConfigurationFile: Sendable {
  /// What the file asks for.
  public var configuration = Configuration()
  /// `DNS` as written; not acted on, kept for `meshd save`.
  public var dns: [String] = []
  /// `SaveConfig` as written; not acted on, kept for `meshd save`.
  public var saveConfig: Bool?
  /// What has less effect than it may seem, in the order of the file.
  public var warnings: [ConfigurationWarning] = []

  /// A file that holds `configuration` and nothing else.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
  }

  /// Reads the text of a file; `name` is for messages only, preshared keys go to `arena`.
  public init(
    parsing text: String, name: String, in arena: SecretArena = SecretArena()
  ) throws(ConfigurationError) {
    var parser = ConfigurationParser(file: name, arena: arena)
    for line in ConfigurationFile.lines(of: text) { try parser.read(line) }
    self = try parser.finish()
  }

  static func lines(of text: String) -> [ConfigurationLine] {
    let withoutMark = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    return Mesh.lines(of: withoutMark).enumerated().map { ConfigurationLine($1, number: $0 + 1) }
  }
}
