internal import Net

/// The ways to one peer: as configured, as resolved, and as observed, and which of them is in use.
///
/// For a peer that speaks no Babel the path in use is where its last authenticated packet came from, as in any WireGuard
/// (whitepaper §6.5). Until there is one it is the first that is configured.
struct PeerPaths {
  /// Learned candidates beside the configured ones; the one heard longest ago makes room.
  static let learnedLimit = 4
  /// How long one is kept that nothing comes from.
  static let learnedLifetime = Duration.seconds(600)

  /// The configured endpoints, names not yet resolved.
  private(set) var sources: [Configuration.EndpointSource] = []
  /// Every way that is known: the configured ones in their order, then the learned.
  var candidates: [CandidatePath] = []
  /// The endpoint that the operator wants in use as long as it works.
  private(set) var pinned: Endpoint?
  /// The place of the path in use.
  private(set) var index: Int?

  private var resolved: [[Endpoint]] = []
  private var uplinks: [Uplink] = []
  private var hasIPv6 = true
  private var nextID: UInt32 = 0

  /// The path for the next packet.
  var current: Path? { index.map { path(at: $0) } }

  /// The path of this candidate, as packets are to be sent along it.
  func path(at place: Int) -> Path { uplinks.naming(candidates[place].path) }

  /// Every endpoint known.
  var endpoints: [Endpoint] { candidates.map(\.remote) }

  /// The names that are still to be resolved.
  var unresolved: [Configuration.EndpointSource] {
    zip(sources, resolved).filter { $1.isEmpty }.map { $0.0 }
  }

  /// The place of the path that the operator wants, if there is one.
  var pinnedPlace: Int? { pinned.flatMap { pinned in candidates.firstIndex { $0.remote == pinned } } }

  // MARK: What is configured

  /// Takes the configured endpoints, and the one that is to be used as long as it works.
  ///
  /// The path in use is kept, wherever it came from, unless another one is commanded or nothing of the old list is left in
  /// the new one.
  mutating func configure(_ sources: [Configuration.EndpointSource], pinned: Endpoint?) {
    let old = self.sources
    let isCommandNew = pinned != nil && pinned != self.pinned
    self.pinned = pinned
    if sources != old {
      let known = Dictionary(zip(old, resolved)) { first, _ in first }
      self.sources = sources
      resolved = sources.map { source in
        switch source {
        case .address(let endpoint): [endpoint]
        case .name: known[source] ?? []
        }
      }
    }
    rebuild()
    if isCommandNew {
      index = candidates.firstIndex { $0.remote == pinned }
    } else if !old.isEmpty, !sources.isEmpty, !sources.contains(where: old.contains) {
      index = candidates.firstIndex { $0.origin == .configured } ?? index
    }
  }

  /// Takes the addresses of a name.
  ///
  /// An empty answer leaves what is known: a failing resolver removes nothing.
  mutating func resolve(_ source: Configuration.EndpointSource, to addresses: [Endpoint]) {
    guard !addresses.isEmpty else { return }
    for index in sources.indices where sources[index] == source { resolved[index] = addresses }
    rebuild()
  }

  /// Takes our own ways out, and whether this host has an IPv6 address to leave from.
  mutating func setUplinks(_ uplinks: [Uplink], hasIPv6: Bool) {
    self.uplinks = uplinks
    self.hasIPv6 = hasIPv6
    rebuild()
  }

  /// Makes the candidates anew, and keeps what is known of those that stay.
  private mutating func rebuild() {
    let inUse = index.map { candidates[$0].id }
    var old = candidates
    candidates = []
    for remote in configuredEndpoints {
      for uplink in [nil] + detours(to: remote) {
        if let known = old.firstIndex(where: { $0.remote == remote && $0.uplink == uplink }) {
          candidates.append(old.remove(at: known))
          candidates[candidates.count - 1].origin = .configured
        } else {
          candidates.append(make(remote, uplink: uplink, origin: .configured))
        }
      }
    }
    // An address that vanished from its name, or was configured no longer, is given up unless it is in use.
    for var candidate in old where candidate.origin == .learned || candidate.id == inUse {
      candidate.origin = .learned
      candidates.append(candidate)
    }
    for place in candidates.indices {
      candidates[place].isSourceless = !hasIPv6 && candidates[place].remote.address.needsIPv6Source
    }
    index = inUse.flatMap { id in candidates.firstIndex { $0.id == id } } ?? (candidates.isEmpty ? nil : 0)
  }

  /// Each once, in the order configured; the commanded one is last if it stands nowhere else.
  private var configuredEndpoints: [Endpoint] {
    var endpoints: [Endpoint] = []
    for endpoint in resolved.joined() where !endpoints.contains(endpoint) { endpoints.append(endpoint) }
    if let pinned, !endpoints.contains(pinned) { endpoints.append(pinned) }
    return endpoints
  }

  /// The ways out besides the one that the kernel chooses, which is the first.
  private func detours(to remote: Endpoint) -> [CandidatePath.LocalSide?] {
    let usable = uplinks.filter { $0.address.family == remote.address.family }
    guard usable.count > 1, remote.scope == 0 else { return [] }
    return usable.dropFirst().map { .init(address: $0.address, interface: $0.interface) }
  }

  private mutating func make(
    _ remote: Endpoint, uplink: CandidatePath.LocalSide? = nil, origin: CandidatePath.Origin
  ) -> CandidatePath {
    nextID &+= 1
    return CandidatePath(id: nextID, remote: remote, uplink: uplink, origin: origin)
  }

  // MARK: What happens

  /// An authenticated packet came by `path`: the place of its candidate, and whether that is a new one.
  mutating func observe(_ path: Path, at now: Instant) -> (place: Int, isNew: Bool) {
    let side = path.local.map { CandidatePath.LocalSide(address: $0, interface: path.interface) }
    let known = self.place(of: path.remote, side)
    let place = known ?? learn(path.remote, at: now)
    if candidates[place].uplink == nil, let side { candidates[place].source = side }
    candidates[place].lastHeard = now
    return (place, known == nil)
  }

  private func place(of remote: Endpoint, _ side: CandidatePath.LocalSide?) -> Int? {
    let places = candidates.indices.filter { candidates[$0].remote == remote }
    guard let side else { return places.first }
    // The way that our side is known of, else one of which it is not known.
    return places.first { (candidates[$0].uplink ?? candidates[$0].source) == side }
      ?? places.first { candidates[$0].uplink == nil && candidates[$0].source == nil }
  }

  private mutating func learn(_ remote: Endpoint, at now: Instant) -> Int {
    expireLearned(at: now)
    let learned = candidates.indices.filter { candidates[$0].origin == .learned }
    if learned.count >= Self.learnedLimit,
      let oldest = learned.filter({ $0 != index }).min(by: {
        (candidates[$0].lastHeard ?? .zero) < (candidates[$1].lastHeard ?? .zero)
      })
    {
      remove(at: oldest)
    }
    candidates.append(make(remote, origin: .learned))
    return candidates.count - 1
  }

  /// Gives up learned candidates that nothing has come from for long.
  mutating func expireLearned(at now: Instant) {
    var place = candidates.count
    while place > 0 {
      place -= 1
      let candidate = candidates[place]
      guard candidate.origin == .learned, place != index else { continue }
      if (candidate.lastHeard ?? .zero).advanced(by: Self.learnedLifetime) <= now { remove(at: place) }
    }
  }

  private mutating func remove(at place: Int) {
    candidates.remove(at: place)
    if let index, index > place { self.index = index - 1 }
  }

  /// Sends by this candidate from now on; `nil` if it did already, else what was in use before.
  mutating func use(_ place: Int, at now: Instant) -> (former: Endpoint?, current: Endpoint)? {
    guard index != place else { return nil }
    let former = index.map { candidates[$0].remote }
    if let index { candidates[index].usedSince = nil }
    index = place
    candidates[place].usedSince = now
    for other in candidates.indices { candidates[other].betterSince = nil }
    return (former, candidates[place].remote)
  }

  /// Leaves our side of the path in use to the kernel again, after it may have become stale.
  mutating func forgetSource() {
    guard let index else { return }
    candidates[index].source = nil
  }

  /// The candidate to turn to when the one in use is of no use: one that lives, the best first, else the first that the
  /// kernel takes packets for.
  func alternative(at now: Instant) -> Int? {
    let others = candidates.indices.filter { $0 != index && candidates[$0].isUsable(at: now) }
    let alive = others.filter { candidates[$0].isAlive(at: now) }
    if let pinned, let place = alive.first(where: { candidates[$0].remote == pinned }) { return place }
    return best(of: alive) ?? others.first { !candidates[$0].quality.isSilent } ?? others.first
  }

  /// The one of these with the lowest cost.
  func best(of places: [Int]) -> Int? {
    places.min {
      (candidates[$0].quality.cost ?? .seconds(60)) < (candidates[$1].quality.cost ?? .seconds(60))
    }
  }
}

extension IPAddress {
  /// Whether packets to it arrive only from an IPv6 address of more than one link.
  fileprivate var needsIPv6Source: Bool {
    guard case .v6(let address) = self else { return false }
    return !address.isLinkLocal && address != .loopback
  }
}
