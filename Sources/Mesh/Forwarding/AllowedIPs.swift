public import Net

/// The table of cryptokey routing (whitepaper §2): prefix → `Route`, for destinations and for sources.
///
/// A route may be for packets from some sources only (RFC 9079). The destination counts first: of the longest prefix that
/// holds it and has a route for the packet's source, the route with the longest source prefix is taken (§4).
///
/// A value: the control thread changes its own copy while lanes read a published one, and the two share memory until the
/// first change. Look-ups neither allocate nor count references. One trie per family; an IPv4 prefix has its bits at the
/// top of the key.
public struct AllowedIPs: Sendable {
  /// A prefix found by a look-up; valid until the table changes.
  internal struct Match: Sendable, BitwiseCopyable {
    let family: AddressFamily
    let index: PrefixTrie.Index
  }

  private var v4 = PrefixTrie()
  private var v6 = PrefixTrie()

  /// An empty table.
  public init() {}

  /// The number of routes.
  public var count: Int { v4.count + v6.count }

  /// The route to exactly this prefix, for packets from anywhere or from exactly these sources.
  ///
  /// A route that says nothing is not kept, as `nil` is not. `source` must be of the prefix' own family: no packet comes
  /// from another.
  public subscript(prefix: IPPrefix, from source: IPPrefix? = nil) -> Route? {
    get {
      let trie = trie(prefix.family)
      guard let index = trie.exactMatch(Self.key(prefix), from: Self.specific(source)) else { return nil }
      return trie.route(index)
    }
    set {
      if let newValue, !newValue.isEmpty {
        insert(prefix, source, newValue)
      } else {
        remove(prefix, from: source)
      }
    }
  }

  /// Removes a route; whether it was there.
  @discardableResult
  public mutating func remove(_ prefix: IPPrefix, from source: IPPrefix? = nil) -> Bool {
    switch prefix.family {
    case .v4: v4.remove(Self.key(prefix), from: Self.specific(source))
    case .v6: v6.remove(Self.key(prefix), from: Self.specific(source))
    }
  }

  /// Where a packet from `source` to `destination` goes.
  ///
  /// A prefix without target is passed over; one that is unreachable hides the shorter ones (`decisions.md` 17).
  public func target(for destination: IPAddress, from source: IPAddress) -> Route.Target {
    switch destination {
    case .v4: Self.target(in: v4, destination, source)
    case .v6: Self.target(in: v6, destination, source)
    }
  }

  /// The route of the longest prefix that holds `address`, with or without target, and that prefix' length; for the control
  /// thread.
  public func lookup(_ address: IPAddress) -> (length: Int, route: Route)? {
    guard let match = longestMatch(address) else { return nil }
    return (length(of: match), trie(match.family).route(match.index))
  }

  /// The route that a packet from `source` to `destination` follows, and what it is for; for the control thread.
  ///
  /// The answer of `target(for:from:)` spelt out, a question for each length of the two prefixes.
  public func lookup(
    _ destination: IPAddress, from source: IPAddress
  ) -> (prefix: IPPrefix, source: IPPrefix?, route: Route)? {
    for length in (0...destination.family.bitWidth).reversed() {
      guard let prefix = IPPrefix(destination, length: length) else { continue }
      for sourceLength in (0...source.family.bitWidth).reversed() {
        let source = IPPrefix(source, length: sourceLength)
        guard let route = self[prefix, from: source], route.target != .none else { continue }
        return (prefix, sourceLength == 0 ? nil : source, route)
      }
    }
    return nil
  }

  /// Visits all routes with the sources they are for: IPv4 first, by destination, the shorter of two first and the route for
  /// packets from anywhere before the others.
  public func forEach(_ body: (_ prefix: IPPrefix, _ source: IPPrefix?, _ route: Route) -> Void) {
    for family in AddressFamily.allCases {
      let trie = trie(family)
      trie.forEach(from: trie.root) { index, node in
        guard let prefix = Self.prefix(of: node, family) else { return }
        if trie.isRoute(index) { body(prefix, nil, trie.route(index)) }
        guard node.hasSources else { return }
        trie.forEach(from: trie.sourceTries[Int(node.note)].root) { index, node in
          guard let source = Self.prefix(of: node, family) else { return }
          body(prefix, source, trie.route(index))
        }
      }
    }
  }

  private mutating func insert(_ prefix: IPPrefix, _ source: IPPrefix?, _ route: Route) {
    precondition(source == nil || source?.family == prefix.family, "a source of another family")
    switch prefix.family {
    case .v4: v4.insert(Self.key(prefix), from: Self.specific(source), route)
    case .v6: v6.insert(Self.key(prefix), from: Self.specific(source), route)
    }
  }

  private func trie(_ family: AddressFamily) -> PrefixTrie {
    family == .v4 ? v4 : v6
  }

  @inline(__always)
  private static func target(
    in trie: PrefixTrie, _ destination: IPAddress, _ source: IPAddress
  ) -> Route.Target {
    let index =
      trie.hasSources
      ? trie.destination(key(destination), from: key(source)) : trie.destination(key(destination))
    return index.map { trie.target($0) } ?? .none
  }

  private static func key(_ address: IPAddress) -> UInt128 {
    switch address {
    case .v4(let address): UInt128(address.bits) << 96
    case .v6(let address): UInt128(address.high) << 64 | UInt128(address.low)
    }
  }

  private static func key(_ prefix: IPPrefix) -> PrefixTrie.Prefix {
    PrefixTrie.Prefix(key: key(prefix.address), length: Int(prefix.length))
  }

  /// A source prefix of length 0 is every source.
  private static func specific(_ source: IPPrefix?) -> PrefixTrie.Prefix? {
    source.flatMap { $0.isDefault ? nil : key($0) }
  }

  private static func prefix(of node: PrefixTrie.Node, _ family: AddressFamily) -> IPPrefix? {
    let high = UInt64(truncatingIfNeeded: node.key >> 64)
    let address: IPAddress =
      switch family {
      case .v4: .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: high >> 32)))
      case .v6: .v6(IPv6Address(high: high, low: UInt64(truncatingIfNeeded: node.key)))
      }
    return IPPrefix(address, length: node.length)
  }
}

// What one look-up has found, for the packet path.
extension AllowedIPs {
  /// The longest prefix that holds `address`, with or without target.
  internal func longestMatch(_ address: IPAddress) -> Match? {
    let index =
      switch address {
      case .v4: v4.longestMatch(Self.key(address))
      case .v6: v6.longestMatch(Self.key(address))
      }
    guard let index else { return nil }
    return Match(family: address.family, index: index)
  }

  internal func target(of match: Match) -> Route.Target {
    match.family == .v4 ? v4.target(match.index) : v6.target(match.index)
  }

  internal func length(of match: Match) -> Int {
    match.family == .v4 ? v4.length(match.index) : v6.length(match.index)
  }

  internal func isOwner(_ peer: PeerID, of match: Match) -> Bool {
    match.family == .v4 ? v4.isOwner(peer, of: match.index) : v6.isOwner(peer, of: match.index)
  }

  internal func isSource(_ peer: PeerID, of match: Match) -> Bool {
    match.family == .v4 ? v4.isSource(peer, of: match.index) : v6.isSource(peer, of: match.index)
  }

  /// Whether the peer owns or announces any prefix that holds `address`.
  internal func isSourceOfAny(_ peer: PeerID, _ address: IPAddress) -> Bool {
    switch address {
    case .v4: Self.isSourceOfAny(in: v4, peer, Self.key(address))
    case .v6: Self.isSourceOfAny(in: v6, peer, Self.key(address))
    }
  }

  private static func isSourceOfAny(in trie: PrefixTrie, _ peer: PeerID, _ key: UInt128) -> Bool {
    trie.contains(key) { trie.isSource(peer, of: $0) || trie.isOwner(peer, of: $0) }
  }
}
