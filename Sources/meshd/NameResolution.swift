import Mesh
import Net
import SystemPackage
import Tun

/// Turns endpoint names into addresses for as long as they are configured: at once, again when what was found has grown
/// old, and soon again where nothing was.
struct NameResolution: ~Copyable {
  /// Between two attempts at a name that could not be resolved.
  private static var retry: Duration { .seconds(10) }
  /// How long addresses count that nobody gives a time to live: those of /etc/hosts.
  private static var usualAge: Duration { .seconds(60) }
  /// How long addresses count at least and at most.
  private static var ages: ClosedRange<Duration> { .seconds(30)...(.seconds(300)) }
  /// Between two changes of the network that have all names asked for.
  private static var spacing: Duration { .seconds(1) }

  private struct Name {
    let source: Configuration.EndpointSource
    /// When it is asked for; `nil` while the question is under way.
    var due: Instant?
    /// What was last told.
    var endpoints: [Endpoint] = []
    var failure: String?
  }

  private var resolver: Resolver
  private var names: [Name] = []
  /// The earliest time at which one is due.
  private var nextDue = Instant.distantFuture
  /// When a change of the network may have all names asked for.
  private var nextRenewal = Instant.zero
  /// The questions under way, by token.
  private var questions: [UInt64: Configuration.EndpointSource] = [:]
  private var nextToken: UInt64 = 0

  init() throws {
    resolver = try Resolver()
  }

  /// The descriptor to watch for reading.
  var descriptor: FileDescriptor { resolver.descriptor }

  /// When `proceed` is to be called at the latest.
  func deadline(now: Instant) -> Instant {
    min(nextDue, resolver.timeout.map { now.advanced(by: $0) } ?? .distantFuture)
  }

  /// What came of a question.
  struct Answer {
    let source: Configuration.EndpointSource
    /// Never empty where nothing failed, and other ones than those told last.
    let endpoints: [Endpoint]
    let failure: String?
  }

  /// Follows the names of a configuration; those that are new, and those `unresolved`, are asked for at once.
  mutating func follow(
    _ configuration: Configuration, unresolved: [Configuration.EndpointSource], at now: Instant
  ) {
    let known = Dictionary(names.map { ($0.source, $0) }) { first, _ in first }
    let unresolved = Set(unresolved)
    var seen: Set<Configuration.EndpointSource> = []
    names = []
    for case .name(let host, let port) in configuration.peers.lazy.flatMap(\.endpoints) {
      let source = Configuration.EndpointSource.name(host, port: port)
      guard seen.insert(source).inserted else { continue }
      var name = known[source] ?? Name(source: source, due: now)
      if unresolved.contains(source) {
        // A peer may be new that has the name of another.
        name.endpoints = []
        if name.due != nil { name.due = now }
      }
      names.append(name)
    }
    schedule()
  }

  /// The network has changed: all names are asked for anew, of servers that may be others.
  mutating func renew(at now: Instant) {
    let start = max(now, nextRenewal)
    if start == now {
      questions = [:]
      resolver.cancel()
      nextRenewal = now.advanced(by: Self.spacing)
    }
    for index in names.indices where start == now || names[index].due != nil {
      names[index].due = min(start, names[index].due ?? start)
    }
    schedule()
  }

  /// Asks what is due, goes on with the questions under way and returns what is new.
  mutating func proceed(at now: Instant) throws(Errno) -> [Answer] {
    var answers: [Answer] = []
    let isDue = nextDue <= now
    var isAnswered = false
    if isDue { ask(at: now, &answers) }
    try resolver.process()
    while let answer = resolver.nextAnswer() {
      guard let source = questions.removeValue(forKey: answer.token),
        let index = names.firstIndex(where: { $0.source == source }), case .name(_, let port) = source
      else { continue }
      let age = min(max(answer.timeToLive ?? Self.usualAge, Self.ages.lowerBound), Self.ages.upperBound)
      take(
        answer.addresses.map { Endpoint(address: $0, port: port) }, answer.failure, for: index, &answers)
      names[index].due = now.advanced(by: answer.addresses.isEmpty ? Self.retry : age)
      isAnswered = true
    }
    if isDue || isAnswered { schedule() }
    return answers
  }

  private mutating func ask(at now: Instant, _ answers: inout [Answer]) {
    for index in names.indices {
      guard let due = names[index].due, due <= now, case .name(let host, let port) = names[index].source
      else {
        continue
      }
      if let endpoint = Self.zoned(host, port) {
        take([endpoint], nil, for: index, &answers)
        names[index].due = now.advanced(by: Self.usualAge)
        continue
      }
      names[index].due = nil
      nextToken += 1
      questions[nextToken] = names[index].source
      resolver.lookUp(host, token: nextToken)
    }
  }

  /// Adds what was found to the answers if it is new; the order of addresses is the server's whim.
  private mutating func take(
    _ endpoints: [Endpoint], _ failure: String?, for index: Int, _ answers: inout [Answer]
  ) {
    let isNewFailure = failure != nil && failure != names[index].failure
    let isNewAddress = !endpoints.isEmpty && Set(endpoints) != Set(names[index].endpoints)
    names[index].failure = failure
    // Nothing that failed takes away what is known.
    if isNewAddress { names[index].endpoints = endpoints }
    guard isNewFailure || isNewAddress else { return }
    answers.append(Answer(source: names[index].source, endpoints: endpoints, failure: failure))
  }

  private mutating func schedule() {
    nextDue = names.lazy.compactMap(\.due).min() ?? .distantFuture
  }

  /// A link-local address with the name of an interface behind it needs no resolver; `nil` for anything else.
  private static func zoned(_ host: String, _ port: UInt16) -> Endpoint? {
    let parts = host.split(separator: "%", maxSplits: 1)
    guard parts.count == 2, let address = IPv6Address(parts[0]), let index = InterfaceName(parts[1])?.index
    else { return nil }
    return Endpoint(address: .v6(address), port: port, scope: index)
  }
}
