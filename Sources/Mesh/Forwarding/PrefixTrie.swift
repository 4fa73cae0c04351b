/// A path-compressed binary trie over keys of up to 128 bits, all of its nodes in one array.
///
/// A node is half a cache line and holds no reference, so that a look-up touches no reference count. Removed nodes go to a
/// free list. Copies share the array until one of them is changed.
///
/// Below a prefix there may hang a second trie, over the sources of the packets to it (RFC 9079 §4: the destination
/// counts first). Its nodes lie in the same array; as long as there is no such trie, look-ups do not ask.
internal struct PrefixTrie: Sendable {
  internal typealias Index = UInt32

  /// No node.
  internal static let none = Index.max

  /// A prefix with a route or with sources, or the point where two prefixes part (`target` is `branch`).
  internal struct Node: Sendable, BitwiseCopyable {
    let key: UInt128
    var zero = PrefixTrie.none
    var one = PrefixTrie.none
    /// The stored target in 23 bits, whether sources hang below in one, the length in eight.
    private var word: UInt32
    /// Who owns and announces the prefix, in `claims`; if sources hang below, their place in `sourceTries`.
    var note = ClaimTable.nobody

    init(key: UInt128, length: Int, target: UInt32) {
      self.key = key
      word = target << 9 | UInt32(length)
    }

    var length: Int { Int(word & 0xFF) }

    var target: UInt32 {
      get { word >> 9 }
      set { word = newValue << 9 | word & 0x1FF }
    }

    var hasSources: Bool {
      get { word & 0x100 != 0 }
      set { word = newValue ? word | 0x100 : word & ~0x100 }
    }

    var isBranch: Bool { target == Route.Target.Stored.branch }

    /// Whether the target comes before `limit` in the order of stored targets.
    func isTargeted(below limit: UInt32) -> Bool { word < limit << 9 }

    func shares(_ key: UInt128) -> Int { (self.key ^ key).leadingZeroBitCount }
  }

  /// The trie over the sources of packets to one prefix.
  internal struct SourceTrie: Sendable {
    var root = PrefixTrie.none
    /// The claims to the prefix itself.
    var claim: ClaimTable.Index
    /// Every peer that announces the prefix for some source.
    var announcers = PeerSet()
  }

  // Written by `PrefixTrie+Change.swift` alone.
  internal var nodes: [Node] = []
  internal var claims = ClaimTable()
  internal var sourceTries: [SourceTrie] = []
  internal var root = Self.none
  /// Free nodes, chained by `zero`.
  internal var freeNode = Self.none
  internal var freeSourceTries: [Index] = []
  /// The number of routes.
  internal var count = 0

  /// Whether any route is for some sources only.
  internal var hasSources: Bool { freeSourceTries.count < sourceTries.count }

  // MARK: Look-up

  /// The longest prefix that holds `key`, whatever is known of it.
  internal func longestMatch(_ key: UInt128) -> Index? {
    found(longestMatch(key, from: root, below: Route.Target.Stored.branch))
  }

  /// The longest prefix that holds `key` and has a target for packets from anywhere.
  internal func destination(_ key: UInt128) -> Index? {
    found(longestMatch(key, from: root, below: Route.Target.Stored.none))
  }

  /// The route of a packet: of the longest prefix that holds `key` and has a target for `source`, the one with the longest
  /// source prefix.
  internal func destination(_ key: UInt128, from source: UInt128) -> Index? {
    let nodes = nodes.span
    var best = Self.none
    var index = root
    while index != Self.none {
      let node = nodes[Int(index)]
      guard node.shares(key) >= node.length else { break }
      let specific =
        node.hasSources
        ? longestMatch(
          source, from: sourceTries.span[Int(node.note)].root, below: Route.Target.Stored.none) : Self.none
      if specific != Self.none {
        best = specific
      } else if node.isTargeted(below: Route.Target.Stored.none) {
        best = index
      }
      guard node.length < 128 else { break }
      index = Self.bit(node.length, of: key) ? node.one : node.zero
    }
    return found(best)
  }

  @inline(__always)
  private func longestMatch(_ key: UInt128, from root: Index, below limit: UInt32) -> Index {
    let nodes = nodes.span
    var best = Self.none
    var index = root
    while index != Self.none {
      let node = nodes[Int(index)]
      guard node.shares(key) >= node.length else { break }
      if node.isTargeted(below: limit) { best = index }
      // A key of full length is a leaf.
      guard node.length < 128 else { break }
      index = Self.bit(node.length, of: key) ? node.one : node.zero
    }
    return best
  }

  /// Asks about the prefixes that hold `key`, longest last; whether `body` says yes to one.
  @inline(__always)
  internal func contains(_ key: UInt128, where body: (Index) -> Bool) -> Bool {
    let nodes = nodes.span
    var index = root
    while index != Self.none {
      let node = nodes[Int(index)]
      guard node.shares(key) >= node.length else { return false }
      if !node.isBranch, body(index) { return true }
      guard node.length < 128 else { return false }
      index = Self.bit(node.length, of: key) ? node.one : node.zero
    }
    return false
  }

  @inline(__always)
  private func found(_ index: Index) -> Index? { index == Self.none ? nil : index }

  internal func target(_ index: Index) -> Route.Target {
    Route.Target(stored: nodes.span[Int(index)].target)
  }

  internal func length(_ index: Index) -> Int {
    nodes.span[Int(index)].length
  }

  internal func isOwner(_ peer: PeerID, of index: Index) -> Bool {
    let node = nodes.span[Int(index)]
    return claims.isOwner(peer, claim(of: node), target: node.target)
  }

  /// Whether the peer announces the prefix, for whatever sources.
  internal func isSource(_ peer: PeerID, of index: Index) -> Bool {
    let node = nodes.span[Int(index)]
    return claims.isSource(peer, claim(of: node))
      || (node.hasSources && sourceTries.span[Int(node.note)].announcers.contains(peer))
  }

  @inline(__always)
  internal func claim(of node: Node) -> ClaimTable.Index {
    node.hasSources ? sourceTries.span[Int(node.note)].claim : node.note
  }

  /// The whole route; for the control thread.
  internal func route(_ index: Index) -> Route {
    let node = nodes[Int(index)]
    let target = Route.Target(stored: node.target)
    let (owners, sources) = claims.sets(claim(of: node), target: target)
    return Route(target, owners: owners, sources: sources)
  }

  /// Visits the nodes of the trie below `root` by key, the shorter of two prefixes first, branches left out.
  internal func forEach(from root: Index, _ body: (_ index: Index, _ node: Node) -> Void) {
    var pending = root == Self.none ? [] : [root]
    while let index = pending.popLast() {
      let node = nodes[Int(index)]
      if !node.isBranch { body(index, node) }
      if node.one != Self.none { pending.append(node.one) }
      if node.zero != Self.none { pending.append(node.zero) }
    }
  }

  /// Bit `position` of `key`, the most significant being 0.
  @inline(__always)
  internal static func bit(_ position: Int, of key: UInt128) -> Bool {
    UInt64(truncatingIfNeeded: key &>> UInt128(truncatingIfNeeded: 127 &- position)) & 1 != 0
  }
}
