import Mesh
import Net
import SystemPackage
import Tun

/// Turns endpoint names into addresses: asks at once, and again after a while for those that have none.
struct NameResolution: ~Copyable {
  /// Between two attempts at a name that has no address.
  private static var retry: Duration { .seconds(10) }

  private var resolver: Resolver
  /// The questions under way, by token.
  private var questions: [UInt64: Configuration.EndpointSource] = [:]
  private var nextToken: UInt64 = 0
  private var nextAttempt = Instant.zero
  private var ready: [Answer] = []

  init() throws {
    resolver = try Resolver()
  }

  /// The descriptor to watch for reading.
  var descriptor: FileDescriptor { resolver.descriptor }

  /// When `proceed` is to be called at the latest, given whether names are still without address.
  func deadline(hasUnresolved: Bool, now: Instant) -> Instant {
    let library = ready.isEmpty ? resolver.timeout.map { now.advanced(by: $0) } ?? .distantFuture : now
    return min(library, hasUnresolved && questions.isEmpty ? nextAttempt : .distantFuture)
  }

  /// Asks for the names, unless it did a moment ago.
  mutating func ask(_ names: [Configuration.EndpointSource], at now: Instant) {
    guard now >= nextAttempt else { return }
    for case .name(let host, let port) in names {
      let source = Configuration.EndpointSource.name(host, port: port)
      guard !questions.values.contains(source) else { continue }
      if let endpoint = Self.zoned(host, port) {
        ready.append(Answer(source: source, endpoints: [endpoint], failure: nil))
        continue
      }
      nextToken += 1
      questions[nextToken] = source
      resolver.lookUp(host, token: nextToken)
    }
    nextAttempt = now.advanced(by: Self.retry)
  }

  /// Lets the next `ask` go out at once: the configuration has changed.
  mutating func askSoon() {
    nextAttempt = .zero
  }

  /// What came of a question.
  struct Answer {
    let source: Configuration.EndpointSource
    let endpoints: [Endpoint]
    let failure: String?
  }

  /// A link-local address with the name of an interface behind it needs no resolver; `nil` for anything else.
  private static func zoned(_ host: String, _ port: UInt16) -> Endpoint? {
    let parts = host.split(separator: "%", maxSplits: 1)
    guard parts.count == 2, let address = IPv6Address(parts[0]), let index = InterfaceName(parts[1])?.index
    else { return nil }
    return Endpoint(address: .v6(address), port: port, scope: index)
  }

  /// Goes on with the questions under way and returns the answers.
  mutating func proceed() throws(Errno) -> [Answer] {
    try resolver.process()
    var answers = ready
    ready = []
    while let answer = resolver.nextAnswer() {
      guard case .name(let host, let port)? = questions.removeValue(forKey: answer.token) else { continue }
      answers.append(
        Answer(
          source: .name(host, port: port),
          endpoints: answer.addresses.map { Endpoint(address: $0, port: port) }, failure: answer.failure))
    }
    return answers
  }
}
