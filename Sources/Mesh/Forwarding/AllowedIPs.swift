public import Net

/// The table of cryptokey routing (whitepaper §2): prefix → `Route`, for destinations and for sources.
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

  /// The number of prefixes.
  public var count: Int { v4.count + v6.count }

  /// The route of exactly this prefix. A route that says nothing is not kept, as `nil` is not.
  public subscript(prefix: IPPrefix) -> Route? {
    get {
      let trie = trie(prefix.family)
      guard let index = trie.exactMatch(Self.key(prefix.address), length: Int(prefix.length)) else {
        return nil
      }
      return trie.route(index)
    }
    set {
      if let newValue, !newValue.isEmpty {
        insert(prefix, newValue)
      } else {
        remove(prefix)
      }
    }
  }

  /// Removes a prefix; whether it was there.
  @discardableResult
  public mutating func remove(_ prefix: IPPrefix) -> Bool {
    switch prefix.family {
    case .v4: v4.remove(Self.key(prefix.address), length: Int(prefix.length))
    case .v6: v6.remove(Self.key(prefix.address), length: Int(prefix.length))
    }
  }

  /// Where packets to `destination` go: the target of the longest prefix that holds it. A prefix that is known but has no
  /// target is unreachable, so that packets never fall through to a shorter one (`decisions.md` 17).
  public func target(for destination: IPAddress) -> Route.Target {
    guard let match = longestMatch(destination) else { return .none }
    return target(of: match)
  }

  /// The route of the longest prefix that holds `address`, and that prefix' length; for the control thread.
  public func lookup(_ address: IPAddress) -> (length: Int, route: Route)? {
    guard let match = longestMatch(address) else { return nil }
    return (length(of: match), trie(match.family).route(match.index))
  }

  /// Visits all prefixes: IPv4 first, by address, the shorter of two first.
  public func forEach(_ body: (IPPrefix, Route) -> Void) {
    v4.forEach { key, length, route in
      let address = IPv4Address(bits: UInt32(truncatingIfNeeded: key >> 96))
      guard let prefix = IPPrefix(.v4(address), length: length) else { return }
      body(prefix, route)
    }
    v6.forEach { key, length, route in
      let address = IPv6Address(
        high: UInt64(truncatingIfNeeded: key >> 64), low: UInt64(truncatingIfNeeded: key))
      guard let prefix = IPPrefix(.v6(address), length: length) else { return }
      body(prefix, route)
    }
  }

  private mutating func insert(_ prefix: IPPrefix, _ route: Route) {
    switch prefix.family {
    case .v4: v4.insert(Self.key(prefix.address), length: Int(prefix.length), route: route)
    case .v6: v6.insert(Self.key(prefix.address), length: Int(prefix.length), route: route)
    }
  }

  private func trie(_ family: AddressFamily) -> PrefixTrie {
    family == .v4 ? v4 : v6
  }

  private static func key(_ address: IPAddress) -> UInt128 {
    switch address {
    case .v4(let address): UInt128(address.bits) << 96
    case .v6(let address): UInt128(address.high) << 64 | UInt128(address.low)
    }
  }
}

// What one look-up has found, for the packet path.
extension AllowedIPs {
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
    let target = match.family == .v4 ? v4.target(match.index) : v6.target(match.index)
    return target == .none ? .unreachable : target
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
}
