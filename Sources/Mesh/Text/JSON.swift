/// A JSON value that is only ever written (RFC 8259).
///
/// Members keep their order.
indirect enum JSON: Sendable {
  case null
  case bool(Bool)
  case number(Int64)
  case unsigned(UInt64)
  case string(String)
  case array([JSON])
  case object([(name: String, value: JSON)])

  /// A string, or `null`.
  init(_ value: (some CustomStringConvertible)?) {
    self = value.map { .string($0.description) } ?? .null
  }

  /// The text, indented by two spaces per level, with a newline at its end.
  var text: String {
    var text = ""
    write(to: &text, indentation: "\n")
    return text + "\n"
  }

  private func write(to text: inout String, indentation: String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let value): text += "\(value)"
    case .unsigned(let value): text += "\(value)"
    case .string(let value): Self.write(value, to: &text)
    case .array(let elements):
      Self.write(elements, between: "[]", to: &text, indentation: indentation) { element, text, indentation in
        element.write(to: &text, indentation: indentation)
      }
    case .object(let members):
      Self.write(members, between: "{}", to: &text, indentation: indentation) { member, text, indentation in
        Self.write(member.name, to: &text)
        text += ": "
        member.value.write(to: &text, indentation: indentation)
      }
    }
  }

  private static func write<Element>(
    _ elements: [Element], between brackets: String, to text: inout String, indentation: String,
    writeElement: (Element, inout String, String) -> Void
  ) {
    guard !elements.isEmpty else {
      text += brackets
      return
    }
    text += brackets.prefix(1)
    for (index, element) in elements.enumerated() {
      text += (index == 0 ? "" : ",") + indentation + "  "
      writeElement(element, &text, indentation + "  ")
    }
    text += indentation + brackets.suffix(1)
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
