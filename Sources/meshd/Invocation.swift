import ArgumentParser

/// What a command line asks for, before its verb reads the rest.
enum Invocation {
  /// The list of verbs.
  case help
  /// The version.
  case version
  /// The usage of one verb.
  case usage(any ParsableCommand.Type)
  /// A verb and its words.
  case verb(any ParsableCommand.Type, [String])

  /// Nothing means `show`, as with `wg`; a first word that is no verb means `wg`, as with wireguard-go.
  init(_ words: [String]) {
    guard let first = words.first else {
      self = .verb(Show.self, [])
      return
    }
    switch first {
    case "help", "-h", "--help": self = .help
    case "--version": self = .version
    default:
      let verb = Meshd.configuration.subcommands.first { $0.configuration.commandName == first }
      let rest = verb == nil ? words : Array(words.dropFirst())
      let isUsage = rest.contains("--help") || rest.contains("-h")
      self = isUsage ? .usage(verb ?? WG.self) : .verb(verb ?? WG.self, rest)
    }
  }
}
