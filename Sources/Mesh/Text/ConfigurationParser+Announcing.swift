internal import Babel
internal import Net

// What a node announces, lets in and out, and checks: `Announce`, `Filter` and `Check`.
extension ConfigurationParser {
  /// A comma list of `PREFIX [from SOURCE] [metric N]`, `connected` and `kernel PROTOCOL…`.
  mutating func announce(_ value: Field) throws(ConfigurationError) {
    for entry in value.commaSeparated {
      switch entry.spaceSeparated.first?.text.lowercased() {
      case "connected": try redistributeConnected(entry)
      case "kernel": try redistributeKernel(entry)
      default: try announcePrefix(entry)
      }
    }
  }

  private mutating func redistributeConnected(_ entry: Field) throws(ConfigurationError) {
    let words = entry.spaceSeparated
    guard words.count == 1 else {
      throw error(
        at: words[1], "`connected` stands alone",
        "use `Filter = redistribute proto kernel …` to choose among the connected prefixes")
    }
    redistribute(.kernel)
  }

  private mutating func redistributeKernel(_ entry: Field) throws(ConfigurationError) {
    let words = entry.spaceSeparated
    guard words.count > 1 else {
      throw error(
        at: entry, "`kernel` says not whose routes", "write one like `kernel static` or `kernel bird ospf`")
    }
    for word in words.dropFirst() {
      guard let origin = KernelProtocol(word.text.lowercased()) else {
        throw error(
          at: word, "\(quoted(word.text)) is not a protocol of kernel routes",
          "write a name like `static` or `bird`, or a number from 1 to 255")
      }
      guard origin != .babel else {
        throw error(
          at: word, "routes of a Babel daemon are never announced again", "leave `\(word.text)` out")
      }
      redistribute(origin)
    }
  }

  private mutating func redistribute(_ origin: KernelProtocol) {
    if !interface.redistribute.contains(origin) { interface.redistribute.append(origin) }
  }

  private mutating func announcePrefix(_ entry: Field) throws(ConfigurationError) {
    var words = entry.spaceSeparated[...]
    let first = words.popFirst() ?? entry
    let prefix = try prefix(
      first, otherwise: "write one like 10.0.0.0/24 or fd00::/64, or `connected`, or `kernel PROTOCOL`")
    guard !prefix.isMartian else {
      throw error(at: first, "no node may announce \(prefix)", "leave it out")
    }
    var announcement = Configuration.Announcement(prefix)
    while let word = words.popFirst() {
      let argument = words.popFirst()
      switch word.text.lowercased() {
      case "from" where announcement.source == nil:
        announcement.source = try source(of: prefix, argument, after: word)
      case "metric" where announcement.metric == .zero:
        announcement.metric = try metric(argument, after: word)
      default:
        throw error(
          at: word, "\(quoted(word.text)) is not expected here", "write `PREFIX [from SOURCE] [metric N]`")
      }
    }
    let key = RouteKey(prefix, source: announcement.source)
    if let metric = announced[key] {
      guard metric == announcement.metric else {
        throw error(at: entry, "\(prefix) is announced before with another metric", "take one of the two out")
      }
      return
    }
    announced[key] = announcement.metric
    interface.announce.append(announcement)
  }

  private mutating func source(
    of prefix: IPPrefix, _ argument: Field?, after word: Field
  ) throws(ConfigurationError) -> IPPrefix? {
    guard let argument else {
      throw error(at: word, "a prefix is missing after `from`", "write the prefix that the packets come from")
    }
    let source = try self.prefix(argument)
    guard source.family == prefix.family else {
      throw error(
        at: argument, "\(source) and \(prefix) are of different families",
        "write both as IPv4 or both as IPv6")
    }
    // From anywhere is no source.
    return source.isDefault ? nil : source
  }

  private func metric(_ argument: Field?, after word: Field) throws(ConfigurationError) -> Metric {
    guard let number = argument.flatMap({ UInt16(decimal: $0.text) }), number != .max else {
      throw error(
        at: argument ?? word, "\(quoted(argument?.text ?? word.text)) is not a metric",
        "write a number from 0 to 65534")
    }
    return Metric(number)
  }

  func filterRule(_ value: Field) throws(ConfigurationError) -> FilterRule {
    let words = value.spaceSeparated
    do {
      return try FilterRule(parsing: words.map(\.text))
    } catch {
      let field = error.word < words.count ? words[error.word] : words.last ?? value
      throw self.error(at: field, error.message, error.hint)
    }
  }

  func peerFilterRule(_ value: Field) throws(ConfigurationError) -> FilterRule {
    let rule = try filterRule(value)
    guard rule.direction != .redistribute else {
      throw error(at: value, "nothing is redistributed from a peer", "put the rule into [Interface]")
    }
    return rule
  }
}
