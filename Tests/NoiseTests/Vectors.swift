import Foundation
import Testing

/// The files of `Tests/Vectors`.
enum Vectors {
  static func load<Value: Decodable>(_ type: Value.Type, from name: String) throws -> Value {
    let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = directory.appending(path: "Vectors/\(name).json")
    return try JSONDecoder().decode(Value.self, from: Data(contentsOf: file))
  }
}

/// Octets that a file writes in hexadecimal.
struct Hex: Decodable, Equatable, CustomStringConvertible {
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    bytes = try Hex.decode(text)
  }

  static func decode(_ text: String) throws -> [UInt8] {
    let digits = try text.utf8.map { try #require(UInt8(String(UnicodeScalar($0)), radix: 16)) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  var description: String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
