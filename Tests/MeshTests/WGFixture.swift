import Foundation
import Testing

/// What Debian's `wg` printed for one answer of a daemon: a file of `Tests/Fixtures/wg`, see `record.py`
/// there.
struct WGFixture: CustomTestStringConvertible {
  static let all = ["empty", "idle", "busy"].map(WGFixture.init)

  let name: String
  private let sections: [String: String]

  init(name: String) {
    self.name = name
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/wg")
    let text = (try? String(contentsOf: folder.appending(path: "\(name).txt"), encoding: .utf8)) ?? ""
    var sections: [String: String] = [:]
    for section in ("\n" + text.dropLast()).components(separatedBy: "\n=== ").dropFirst() {
      let parts = section.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
      sections[String(parts[0])] = parts.count == 1 ? "" : String(parts[1]) + "\n"
    }
    self.sections = sections
  }

  var testDescription: String { name }

  subscript(title: String) -> String { sections[title] ?? "no such section" }

  /// When it was recorded, seconds since 1970.
  var now: Int64 { Int64(self["now"].dropLast()) ?? 0 }
}
