internal import Net

/// The endpoints at which one peer may be: as configured, as resolved, and as observed.
///
/// The path in use is the one an authenticated packet came by (whitepaper §6.5); before there is one, the first configured
/// endpoint. While a handshake stays unanswered, every retry goes to the next configured one.
struct EndpointCandidates {
  /// The configured endpoints, names not yet resolved.
  private(set) var sources: [Configuration.EndpointSource] = []
  /// The path for the next packet.
  private(set) var current: Path?

  private var resolved: [[Endpoint]] = []
  private var position = 0

  /// Every endpoint known, in the order configured.
  var endpoints: [Endpoint] { resolved.flatMap(\.self) }

  /// The names that are still to be resolved.
  var unresolved: [Configuration.EndpointSource] {
    zip(sources, resolved).filter { $1.isEmpty }.map { $0.0 }
  }

  /// Takes the configured endpoints.
  ///
  /// The path in use is given up only for a numeric endpoint that was not there before: `wg set … endpoint`
  /// is a command to go there, a repeated file is not.
  mutating func configure(_ sources: [Configuration.EndpointSource]) {
    guard sources != self.sources else { return }
    let before = endpoints
    let known = Dictionary(zip(self.sources, resolved)) { first, _ in first }
    self.sources = sources
    resolved = sources.map { source in
      switch source {
      case .address(let endpoint): [endpoint]
      case .name: known[source] ?? []
      }
    }
    position = 0
    if let new = endpoints.first(where: { !before.contains($0) }) {
      current = Path(remote: new)
    } else if current == nil {
      current = endpoints.first.map { Path(remote: $0) }
    }
  }

  /// Takes the addresses of a name.
  ///
  /// An empty answer leaves what is known: a failing resolver removes nothing.
  mutating func resolve(_ source: Configuration.EndpointSource, to addresses: [Endpoint]) {
    guard !addresses.isEmpty else { return }
    for index in sources.indices where sources[index] == source { resolved[index] = addresses }
    if current == nil { current = endpoints.first.map { Path(remote: $0) } }
  }

  /// An authenticated packet came by `path`; whether that is news.
  mutating func observe(_ path: Path) -> Bool {
    guard current != path else { return false }
    current = path
    return true
  }

  /// Leaves our side of the path to the kernel again, after it may have become stale.
  mutating func forgetSource() {
    guard let path = current else { return }
    current = Path(remote: path.remote)
  }

  /// Turns to the next endpoint for a handshake that found no answer at this one.
  mutating func turn() {
    let all = endpoints
    guard all.count > 1 else { return }
    position = (position + 1) % all.count
    if current?.remote == all[position] { position = (position + 1) % all.count }
    current = Path(remote: all[position])
  }
}
