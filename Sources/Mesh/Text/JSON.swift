/// A JSON value that is only ever written (RFC 8259).
///
/// Members keep their order.
indirect enum JSON: Sendable {
  case null
  case bool(Bool)
  case number(Int64)
  case unsigned(UInt64)
  /// A duration, as a number of seconds; a negative one as 0.
  case seconds(Duration)
  case string(String)
  case array([JSON])
  case object([Member])

  /// A name and its value in an object.
  typealias Member = (name: String, value: JSON)

  /// A string, or `null`.
  init(_ value: (some CustomStringConvertible)?) {
    self = value.map { .string($0.description) } ?? .null
  }

  /// The text, indented by two spaces per level, with a newline at its end.
  var text: String {
    var text = ""
    write(to: &text, separator: "\n")
    return text + "\n"
  }

  /// The text on one line, with a newline at its end.
  var line: String {
    var text = ""
    write(to: &text, separator: nil)
    return text + "\n"
  }

  /// The text as an element of an array that is written piece by piece, up to the newline before what follows.
  func element(isFirst: Bool) -> String {
    var text = isFirst ? "[\n  " : ",\n  "
    write(to: &text, separator: "\n  ")
    return text
  }

  /// What follows the last element of such an array.
  static func arrayEnd(isEmpty: Bool) -> String { isEmpty ? "[]\n" : "\n]\n" }

  /// Writes the value; between elements comes `separator`, a newline with its indentation, or nothing.
  private func write(to text: inout String, separator: String?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let value): text += "\(value)"
    case .unsigned(let value): text += "\(value)"
    case .seconds(let value): text += Self.seconds(value)
    case .string(let value): Self.write(value, to: &text)
    case .array(let elements):
      Self.write(elements, between: "[]", to: &text, separator: separator) { element, text, separator in
        element.write(to: &text, separator: separator)
      }
    case .object(let members):
      Self.write(members, between: "{}", to: &text, separator: separator) { member, text, separator in
        Self.write(member.name, to: &text)
        text += ": "
        member.value.write(to: &text, separator: separator)
      }
    }
  }

  private static func write<Element>(
    _ elements: [Element], between brackets: String, to text: inout String, separator: String?,
    writeElement: (Element, inout String, String?) -> Void
  ) {
    guard !elements.isEmpty else {
      text += brackets
      return
    }
    text += brackets.prefix(1)
    let inner = separator.map { $0 + "  " }
    for (index, element) in elements.enumerated() {
      text += (index == 0 ? "" : inner == nil ? ", " : ",") + (inner ?? "")
      writeElement(element, &text, inner)
    }
    text += (separator ?? "") + brackets.suffix(1)
  }

  /// Whole milliseconds, as a decimal fraction.
  private static func seconds(_ duration: Duration) -> String {
    let (seconds, attoseconds) = max(duration, .zero).components
    let milliseconds = String(attoseconds / 1_000_000_000_000_000)
    return "\(seconds)." + String(repeating: "0", count: 3 - milliseconds.utf8.count) + milliseconds
  }

  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
