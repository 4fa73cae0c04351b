import Net

/// The words of a command, read one after the other.
struct Words {
  private var rest: ArraySlice<Substring>

  init(_ line: some StringProtocol) {
    rest = Substring(line).split { $0 == " " || $0 == "\t" }[...]
  }

  /// The next word; `nil` at the end.
  mutating func next() -> Substring? {
    rest.popFirst()
  }

  /// The value that must follow `name`; `read` gives `nil` if it is none.
  mutating func value<Value>(
    of name: some StringProtocol, _ form: String, _ read: (Substring) -> Value?
  ) throws(CommandError) -> Value {
    guard let text = next() else { throw CommandError("`\(name)` needs a value: \(form).") }
    guard let value = read(text) else {
      throw CommandError("`\(text)` is no value of `\(name)`, which is \(form).")
    }
    return value
  }

  mutating func duration(of name: some StringProtocol) throws(CommandError) -> Duration {
    try value(of: name, "a number and one of ns, us, ms, s, such as 1.5ms") { text in
      Self.quantity(text, units: [("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9)], atMost: 3600e9)
        .map { .nanoseconds(Int64($0)) }
    }
  }

  mutating func rate(of name: some StringProtocol) throws(CommandError) -> Int? {
    try value(of: name, "a number and one of bit, kbit, mbit, gbit, or `off`") { text -> Int?? in
      if text == "off" { return .some(nil) }
      let units = [("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9), ("bit", 1)]
      guard let rate = Self.quantity(text, units: units, atMost: 1e12), rate >= 1 else { return nil }
      return Int(rate)
    }
  }

  mutating func octets(of name: some StringProtocol) throws(CommandError) -> Int {
    try value(of: name, "a number of octets, or of thousands with k") { text in
      Self.quantity(text, units: [("k", 1e3), ("", 1)], atMost: 1e9).map { Int($0) }
    }
  }

  mutating func share(of name: some StringProtocol) throws(CommandError) -> Double {
    try value(of: name, "a share from 0 to 1, or a percentage such as 5%") { text in
      Self.quantity(text, units: [("%", 0.01), ("", 1)], atMost: 1)
    }
  }

  mutating func mtu(of name: some StringProtocol) throws(CommandError) -> Int? {
    try value(of: name, "a number of octets from 68 to 65535, or `off`") { text -> Int?? in
      if text == "off" { return .some(nil) }
      guard let mtu = Int(text), (68...65535).contains(mtu) else { return nil }
      return mtu
    }
  }

  mutating func flag(of name: some StringProtocol) throws(CommandError) -> Bool {
    try value(of: name, "`on` or `off`") { ["on": true, "off": false][$0] }
  }

  mutating func seed(of name: some StringProtocol) throws(CommandError) -> UInt64 {
    try value(of: name, "a whole number") { UInt64($0) }
  }

  mutating func address(of name: some StringProtocol) throws(CommandError) -> IPv4Address? {
    try value(of: name, "an IPv4 address, or `off`") { text -> IPv4Address?? in
      if text == "off" { return .some(nil) }
      return IPv4Address(text).map { .some($0) }
    }
  }

  /// A number with one of the units, multiplied by it; 0 needs none.
  private static func quantity(_ text: Substring, units: [(String, Double)], atMost limit: Double) -> Double?
  {
    if text == "0" { return 0 }
    // The longest that fits: `ms` also ends in `s`.
    let fitting = units.filter { text.hasSuffix($0.0) }.max { $0.0.utf8.count < $1.0.utf8.count }
    guard let (unit, factor) = fitting else { return nil }
    let digits = text.dropLast(unit.count)
    let isDecimal = digits.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
    guard isDecimal, let number = Double(digits), number * factor <= limit else { return nil }
    return number * factor
  }
}
