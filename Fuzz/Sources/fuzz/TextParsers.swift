import Babel
import Mesh
import Net

/// A configuration file: what is accepted is written so that it is accepted again and means the same.
func feedConfiguration(_ input: RawSpan) {
  let text = input.text
  _ = ConfigurationFile.strip(text)
  guard let file = try? ConfigurationFile(parsing: text, name: "fuzz.conf") else { return }
  guard let again = try? ConfigurationFile(parsing: file.text, name: "again.conf") else {
    preconditionFailure("its own text was refused:\n\(file.text)")
  }
  precondition(again.configuration == file.configuration, "it means something else:\n\(file.text)")
}

/// The bytes of a UAPI connection, as a daemon reads them and as `meshd show` reads an answer.
func feedUAPI(_ input: RawSpan) {
  _ = try? UAPIAnswer(input.text)
  var frames = UAPIFrames()
  var configuration = Configuration()
  guard (try? frames.append(input.withUnsafeBytes { Array($0) })) != nil else { return }
  while let text = frames.next() {
    guard let request = try? UAPIRequest(text) else { continue }
    guard case .set(let changes) = request else { continue }
    configuration = configuration.applying(changes)
    precondition(Set(configuration.peers.map(\.publicKey)).count == configuration.peers.count)
  }
}

/// One filter rule: what is accepted is printed so that it is read again and means the same; matching never traps.
func feedFilterRule(_ input: RawSpan) {
  let words = input.text.split(whereSeparator: \.isWhitespace)
  do {
    let rule = try FilterRule(parsing: words)
    let again = try? FilterRule(parsing: "\(rule)".split(separator: " "))
    precondition(again == rule, "it means something else: \(rule)")
    for prefix in [rule.prefix, rule.source, .defaultIPv4, .defaultIPv6].compactMap({ $0 }) {
      let candidate = FilterCandidate(
        prefix, source: rule.source, neighbour: rule.neighbour, routerID: rule.routerID, origin: rule.origin,
        interface: rule.interface)
      let isDenied = rule.matches(candidate) && rule.action == .deny
      let metric = Filter(rule.direction, of: [rule]).metric(for: candidate)
      precondition(!isDenied || metric == nil, "a denied route passed: \(rule)")
    }
  } catch {
    precondition(error.word <= words.count, "the mistake is nowhere")
  }
}
