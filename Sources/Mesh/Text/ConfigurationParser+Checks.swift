internal import Net

// `Check = PREFIX ping|tcp|http TARGET [every T] [fail N] [pass M]`.
extension ConfigurationParser {
  private static let form = "write `PREFIX ping|tcp|http TARGET every T fail N`"
  private static let intervals = Duration.milliseconds(100)...Duration.seconds(3600)

  mutating func check(_ value: Field) throws(ConfigurationError) -> Configuration.Check {
    var words = value.spaceSeparated[...]
    guard let first = words.popFirst(), let kind = words.popFirst(), let target = words.popFirst() else {
      throw error(at: value, "the check is not complete", Self.form)
    }
    let prefix = try prefix(first)
    var check = Configuration.Check(prefix, try question(kind, target))
    var seen: Set<String> = []
    while let word = words.popFirst() {
      let name = word.text.lowercased()
      guard seen.insert(name).inserted, let argument = words.popFirst() else {
        throw error(at: word, "\(quoted(word.text)) is not expected here", Self.form)
      }
      switch name {
      case "every": check.interval = try interval(argument)
      case "fail": check.failures = try count(argument)
      case "pass": check.successes = try count(argument)
      default: throw error(at: word, "\(quoted(word.text)) is not expected here", Self.form)
      }
    }
    // As many to come back as to go, so that a service that comes and goes does not take the whole mesh with it.
    if !seen.contains("pass") { check.successes = check.failures }
    checkFields.append(first)
    return check
  }

  private func question(
    _ kind: Field, _ target: Field
  ) throws(ConfigurationError) -> Configuration.Check.Question {
    switch kind.text.lowercased() {
    case "ping":
      guard let address = IPAddress(target.text), Self.isTarget(address) else {
        throw notTarget(target, "write an address like 192.168.1.1")
      }
      return .ping(address)
    case "tcp":
      guard let endpoint = Endpoint(target.text), Self.isTarget(endpoint.address), endpoint.port != 0 else {
        throw notTarget(target, "write one like 192.168.1.1:22 or [fd00::1]:22")
      }
      return .tcp(endpoint)
    case "http":
      guard let question = Self.page(target.text) else {
        throw notTarget(target, "write one like 192.168.1.1:8080/health, with a numeric address")
      }
      return question
    default:
      throw error(at: kind, "\(quoted(kind.text)) is not a kind of check", "write `ping`, `tcp` or `http`")
    }
  }

  private func notTarget(_ target: Field, _ hint: String) -> ConfigurationError {
    error(at: target, "\(quoted(target.text)) is not a target", hint)
  }

  /// Reads `[http://]ADDRESS[:PORT][/PATH]`.
  private static func page(_ text: Substring) -> Configuration.Check.Question? {
    let rest = text.hasPrefix("http://") ? text.dropFirst(7) : text
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let host = rest[..<slash]
    let path = slash == rest.endIndex ? "/" : String(rest[slash...])
    guard let endpoint = Endpoint(host) ?? Endpoint("\(host):80"), isTarget(endpoint.address),
      endpoint.port != 0,
      path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    return .http(endpoint, path: path)
  }

  /// Whether a packet of ours finds its way to the address without naming an interface, and to one host.
  private static func isTarget(_ address: IPAddress) -> Bool {
    !address.isMulticast && !address.isLinkLocal
  }

  private func interval(_ field: Field) throws(ConfigurationError) -> Duration {
    let digits = field.text.prefix { $0.isASCII && $0.isNumber }
    let unit = field.text[digits.endIndex...]
    let milliseconds: [Substring: Int64] = ["ms": 1, "": 1000, "s": 1000, "m": 60_000]
    guard let number = UInt32(decimal: digits), let factor = milliseconds[unit] else {
      throw badInterval(field)
    }
    let interval = Duration.milliseconds(Int64(number) * factor)
    guard Self.intervals.contains(interval) else { throw badInterval(field) }
    return interval
  }

  private func badInterval(_ field: Field) -> ConfigurationError {
    error(at: field, "\(quoted(field.text)) is not an interval", "write one like `10s`, from 100ms to 60m")
  }

  private func count(_ field: Field) throws(ConfigurationError) -> Int {
    guard let count = UInt8(decimal: field.text), count > 0 else {
      throw error(at: field, "\(quoted(field.text)) is not a number of times", "write a number from 1 to 255")
    }
    return Int(count)
  }

  /// A check of what is not announced has no effect, which is probably a slip of the pen.
  mutating func warnOfIdleChecks() {
    guard Redistribution(interface).isEmpty else { return }
    let announced = Set(
      interface.announce.map(\.prefix) + interface.host.addresses.map { IPPrefix(host: $0.address) })
    for (check, field) in zip(interface.checks, checkFields) where !announced.contains(check.prefix) {
      warn(at: field, "\(check.prefix) is checked, but nothing announces it")
    }
  }
}
