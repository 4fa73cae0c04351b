internal import Net

/// Reads the words of a filter rule.
struct FilterRuleReader {
  private let words: [Substring]
  private var position = 0
  private var seen: Set<Substring> = []
  private var rule: FilterRule
  private var hasAction = false

  private static let lengthSelectors: Set<Substring> = ["eq", "ge", "le", "src-eq", "src-ge", "src-le"]

  init(_ words: [Substring]) throws(FilterSyntaxError) {
    self.words = words
    guard let first = words.first, let direction = FilterRule.Direction(rawValue: String(first)) else {
      throw FilterSyntaxError(
        words.isEmpty ? "the rule is missing" : "a rule does not begin with `\(Self.visible(words[0]))`",
        at: 0,
        "begin it with `in`, `out` or `redistribute`")
    }
    rule = FilterRule(direction)
    position = 1
  }

  /// Reads to the end.
  mutating func read() throws(FilterSyntaxError) -> FilterRule {
    while position < words.count {
      let word = words[position]
      let isRepeatable = Self.lengthSelectors.contains(word)
      guard isRepeatable || seen.insert(word).inserted else {
        throw FilterSyntaxError(
          "`\(Self.visible(word))` stands here a second time", at: position, "take one of them out")
      }
      position += 1
      try select(word)
    }
    try checkFamilies()
    return rule
  }

  private mutating func select(_ word: Substring) throws(FilterSyntaxError) {
    switch word {
    case "ip": rule.prefix = try prefix()
    case "src-ip": rule.source = try prefix()
    case "eq", "ge", "le": rule.lengths = try lengths(word, within: rule.lengths)
    case "src-eq", "src-ge", "src-le":
      rule.sourceLengths = try lengths(word.dropFirst(4), within: rule.sourceLengths)
    case "neigh": rule.neighbour = try neighbour()
    case "id": rule.routerID = try routerID()
    case "proto": rule.origin = .kernel(try kernelProtocol())
    case "local": try setLocal()
    case "if": rule.interface = try interface()
    case "allow": try act(.allow)
    case "deny": try act(.deny)
    case "metric": try act(.metric(try metric()))
    default:
      throw FilterSyntaxError(
        "`\(Self.visible(word))` is no selector and no action", at: position - 1,
        "use ip, eq, ge, le, src-ip, src-eq, src-ge, src-le, neigh, id, proto, local, if, allow, deny or metric"
      )
    }
  }

  private mutating func act(_ action: FilterAction) throws(FilterSyntaxError) {
    guard !hasAction else {
      throw FilterSyntaxError("the rule has two actions", at: position - 1, "write only one of them")
    }
    hasAction = true
    rule.action = action
  }

  private mutating func setLocal() throws(FilterSyntaxError) {
    try require(.redistribute, "local")
    guard rule.origin == nil else {
      throw FilterSyntaxError(
        "no route is both `local` and of a protocol", at: position - 1, "write a rule for each")
    }
    rule.origin = .local
  }

  /// Selectors that only some routes have: a rule that could never match is a mistake.
  private func require(_ direction: FilterRule.Direction, _ word: Substring) throws(FilterSyntaxError) {
    let isRedistribution = direction == .redistribute
    guard isRedistribution != (rule.direction == .redistribute) else { return }
    throw FilterSyntaxError(
      "`\(word)` has no meaning in a rule for `\(rule.direction.rawValue)`", at: position - 1,
      word == "if"
        ? "put the rule into the [Peer] it is for"
        : isRedistribution ? "use it with `redistribute`" : "use it with `in` or `out`")
  }

  private func checkFamilies() throws(FilterSyntaxError) {
    let families = Set([rule.prefix?.family, rule.source?.family].compactMap { $0 })
    guard families.count < 2 else {
      throw FilterSyntaxError(
        "`ip` and `src-ip` are of different families", at: words.count, "write both as IPv4 or both as IPv6")
    }
    guard let family = families.first else { return }
    for lengths in [rule.lengths, rule.sourceLengths] where Int(lengths.lowerBound) > family.bitWidth {
      throw FilterSyntaxError(
        "an IPv4 prefix is never \(lengths.lowerBound) bits long", at: words.count, "write a length up to 32")
    }
  }
}

// Each value: read to the end, or an error that says what is taken.
extension FilterRuleReader {
  private mutating func value(
    _ what: String, _ hint: String
  ) throws(FilterSyntaxError) -> (text: Substring, place: Int) {
    guard position < words.count else {
      throw FilterSyntaxError("\(what) is missing after `\(words[position - 1])`", at: position, hint)
    }
    position += 1
    return (words[position - 1], position - 1)
  }

  private mutating func prefix() throws(FilterSyntaxError) -> IPPrefix {
    let hint = "write one like 10.0.0.0/8 or fd00::/8"
    let (text, place) = try value("a prefix", hint)
    guard let prefix = IPPrefix(text) else {
      throw FilterSyntaxError("`\(Self.visible(text))` is not a prefix", at: place, hint)
    }
    return prefix
  }

  private mutating func lengths(
    _ relation: Substring, within range: ClosedRange<UInt8>
  ) throws(FilterSyntaxError) -> ClosedRange<UInt8> {
    let hint = "write a number from 0 to 128"
    let (text, place) = try value("a prefix length", hint)
    guard let length = Self.number(text), length <= 128 else {
      throw FilterSyntaxError("`\(Self.visible(text))` is not a prefix length", at: place, hint)
    }
    let octet = UInt8(length)
    let lower = relation == "le" ? range.lowerBound : max(range.lowerBound, octet)
    let upper = relation == "ge" ? range.upperBound : min(range.upperBound, octet)
    guard lower <= upper else {
      throw FilterSyntaxError(
        "no length satisfies this and what stands before it", at: place, "take one of the conditions out")
    }
    return lower...upper
  }

  private mutating func neighbour() throws(FilterSyntaxError) -> IPv6Address {
    try require(.in, "neigh")
    let hint = "write the neighbour's link-local address, as `meshd addr KEY` prints it"
    let (text, place) = try value("an address", hint)
    guard let address = IPv6Address(text), address.isLinkLocal else {
      throw FilterSyntaxError("`\(Self.visible(text))` is not a link-local address", at: place, hint)
    }
    return address
  }

  private mutating func routerID() throws(FilterSyntaxError) -> RouterID {
    try require(.in, "id")
    let hint = "write eight octets like 02:11:22:ff:fe:33:44:55, as `meshd addr KEY` prints them"
    let (text, place) = try value("a router-id", hint)
    guard let id = RouterID(text) else {
      throw FilterSyntaxError("`\(Self.visible(text))` is not a router-id", at: place, hint)
    }
    return id
  }

  private mutating func kernelProtocol() throws(FilterSyntaxError) -> KernelProtocol {
    try require(.redistribute, "proto")
    let hint = "write a name like `static` or `bird`, or a number from 1 to 255"
    let (text, place) = try value("a protocol", hint)
    guard let number = KernelProtocol(text) else {
      throw FilterSyntaxError("`\(Self.visible(text))` is not a protocol of kernel routes", at: place, hint)
    }
    guard number != .babel else {
      throw FilterSyntaxError(
        "routes of a Babel daemon are never redistributed", at: place, "announce them by `Announce`")
    }
    guard rule.origin == nil else {
      throw FilterSyntaxError(
        "no route is both `local` and of a protocol", at: place, "write a rule for each")
    }
    return number
  }

  private mutating func interface() throws(FilterSyntaxError) -> String {
    try require(.redistribute, "if")
    let hint = "write a name of at most 15 characters, like eth0"
    let (text, place) = try value("an interface", hint)
    guard (1...15).contains(text.utf8.count) else {
      throw FilterSyntaxError("`\(Self.visible(text))` is not the name of an interface", at: place, hint)
    }
    return String(text)
  }

  private mutating func metric() throws(FilterSyntaxError) -> Metric {
    let hint = "write a number from 1 to 65534; `allow` changes nothing and `deny` is infinity"
    let (text, place) = try value("a number", hint)
    guard let number = Self.number(text), (1..<Int(UInt16.max)).contains(number) else {
      throw FilterSyntaxError("`\(Self.visible(text))` is not a metric", at: place, hint)
    }
    return Metric(UInt16(number))
  }

  /// A decimal number of at most five digits.
  private static func number(_ text: Substring) -> Int? {
    let isDecimal = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return isDecimal && (1...5).contains(text.utf8.count) ? Int(text) : nil
  }

  /// A word for a message: at most 40 characters, none of them a control character.
  private static func visible(_ word: Substring) -> String {
    String(word.unicodeScalars.prefix(40).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) })
  }
}
