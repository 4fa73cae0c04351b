/// One line of a configuration file, cut up as wg-quick and `wg` cut it, with the places of its parts.
struct ConfigurationLine: Sendable {
  /// A part of a line and the character it begins at.
  struct Field: Sendable {
    var text: Substring
    var line: Int
    var column: Int

    /// The text without any white space: `wg` ignores it everywhere.
    var compact: String {
      var scalars = String.UnicodeScalarView()
      scalars.append(contentsOf: text.unicodeScalars.lazy.filter { !isSpace($0) })
      return String(scalars)
    }
  }

  enum Content: Sendable {
    /// Nothing, or a comment.
    case blank
    /// `[…]`
    case section(Field)
    /// `key = value`; `isComment` if it stood behind `#meshd:`.
    case setting(key: Field, value: Field, isComment: Bool)
    /// Anything else.
    case unreadable(Field)
  }

  /// The line without white space at its ends.
  let text: Substring
  let content: Content

  init(_ line: Substring, number: Int) {
    let whole = Field(text: line, line: number, column: 1)
    let trimmed = whole.trimmed
    text = trimmed.text
    var statement = trimmed
    let marker = "#meshd:"
    let isComment = trimmed.text.prefix(marker.count).lowercased() == marker
    if isComment { statement = statement.dropping(marker.count).trimmed }
    if let comment = statement.text.unicodeScalars.firstIndex(of: "#") {
      statement.text = statement.text[..<comment]
      statement = statement.trimmed
    }
    if statement.text.isEmpty {
      content = .blank
    } else if statement.text.hasPrefix("["), !isComment {
      content = .section(statement)
    } else if let equals = statement.text.unicodeScalars.firstIndex(of: "=") {
      let key = Field(text: statement.text[..<equals], line: number, column: statement.column).trimmed
      let start = statement.text.unicodeScalars.distance(from: statement.text.startIndex, to: equals) + 1
      content = .setting(key: key, value: statement.dropping(start).trimmed, isComment: isComment)
    } else {
      content = .unreadable(statement)
    }
  }
}

extension ConfigurationLine.Field {
  /// The field without white space at its ends.
  var trimmed: Self {
    let scalars = text.unicodeScalars
    let start = scalars.firstIndex { !isSpace($0) } ?? scalars.endIndex
    var end = scalars.endIndex
    while end > start, isSpace(scalars[scalars.index(before: end)]) { end = scalars.index(before: end) }
    let skipped = scalars.distance(from: scalars.startIndex, to: start)
    return Self(text: text[start..<end], line: line, column: column + skipped)
  }

  func dropping(_ count: Int) -> Self {
    let start = text.unicodeScalars.index(text.startIndex, offsetBy: count)
    return Self(text: text[start...], line: line, column: column + count)
  }

  /// The parts between commas, trimmed; an empty part is kept, for it is a mistake.
  var commaSeparated: [Self] {
    parts { $0 == "," }.map(\.trimmed)
  }

  /// The words between commas and white space.
  var words: [Self] {
    parts { $0 == "," || isSpace($0) }.filter { !$0.text.isEmpty }
  }

  /// The words between white space.
  var spaceSeparated: [Self] {
    parts(where: isSpace).filter { !$0.text.isEmpty }
  }

  private func parts(where isSeparator: (Unicode.Scalar) -> Bool) -> [Self] {
    var column = column
    return text.unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: isSeparator).map {
      part in
      defer { column += part.count + 1 }
      return Self(text: Substring(part), line: line, column: column)
    }
  }
}

/// White space as C's `isspace` has it.
private func isSpace(_ scalar: Unicode.Scalar) -> Bool {
  scalar == " " || (9...13).contains(scalar.value)
}
