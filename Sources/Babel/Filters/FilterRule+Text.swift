extension FilterRule {
  /// Reads the words of a rule: `in`, `out` or `redistribute`, then selectors and at most one action.
  ///
  /// Without an action the rule allows.
  public init(parsing words: [Substring]) throws(FilterSyntaxError) {
    var reader = try FilterRuleReader(words)
    self = try reader.read()
  }
}

extension FilterRule: CustomStringConvertible {
  /// The rule as it can be read again.
  public var description: String {
    var words = [direction.rawValue]
    if let prefix { words += ["ip", "\(prefix)"] }
    words += Self.words("", lengths)
    if let source { words += ["src-ip", "\(source)"] }
    words += Self.words("src-", sourceLengths)
    if let neighbour { words += ["neigh", "\(neighbour)"] }
    if let routerID { words += ["id", "\(routerID)"] }
    switch origin {
    case .local: words.append("local")
    case .kernel(let number): words += ["proto", "\(number)"]
    case nil: break
    }
    if let interface { words += ["if", interface] }
    switch action {
    case .allow: words.append("allow")
    case .deny: words.append("deny")
    case .metric(let metric): words += ["metric", "\(metric)"]
    }
    return words.joined(separator: " ")
  }

  private static func words(_ prefix: String, _ lengths: ClosedRange<UInt8>) -> [String] {
    if lengths.lowerBound == lengths.upperBound { return ["\(prefix)eq", "\(lengths.lowerBound)"] }
    var words: [String] = []
    if lengths.lowerBound > anyLength.lowerBound { words += ["\(prefix)ge", "\(lengths.lowerBound)"] }
    if lengths.upperBound < anyLength.upperBound { words += ["\(prefix)le", "\(lengths.upperBound)"] }
    return words
  }
}
