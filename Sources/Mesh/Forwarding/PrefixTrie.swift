/// A path-compressed binary trie over keys of up to 128 bits, all of its nodes in one array.
///
/// A node is one cache line and holds no reference, so that a look-up touches no reference count. Removed nodes go to a
/// free list. Copies share the array until one of them is changed.
internal struct PrefixTrie: Sendable {
  internal typealias Index = UInt32

  /// No node, or no spilled route.
  internal static let none = Index.max

  /// A prefix with a route, or the point where two prefixes part (`target` is `branch`).
  internal struct Node: Sendable, BitwiseCopyable {
    let key: UInt128
    var zero: Index = PrefixTrie.none
    var one: Index = PrefixTrie.none
    /// Owners and sources with ids below 64.
    var owners: UInt64 = 0
    var sources: UInt64 = 0
    var target: UInt32 = Route.Target.Stored.branch
    /// The full route in `spilled`, when it names a peer beyond the words.
    var spill: Index = PrefixTrie.none
    let length: UInt8

    var isBranch: Bool { target == Route.Target.Stored.branch }

    func shares(_ key: UInt128) -> Int { (self.key ^ key).leadingZeroBitCount }
  }

  /// The place that names a node: the root, or one side of a node.
  private enum Link {
    case root
    case zero(of: Index)
    case one(of: Index)
  }

  private var nodes: [Node] = []
  private var spilled: [Route] = []
  private var root = Self.none
  /// Free nodes, chained by `zero`.
  private var freeNode = Self.none
  private var freeSpills: [Index] = []
  /// The number of prefixes.
  internal private(set) var count = 0

  // MARK: Look-up

  /// The longest prefix that holds `key`.
  internal func longestMatch(_ key: UInt128) -> Index? {
    let nodes = nodes.span
    var best = Self.none
    var index = root
    while index != Self.none {
      let node = nodes[Int(index)]
      guard node.shares(key) >= Int(node.length) else { break }
      if !node.isBranch { best = index }
      // A key of full length is a leaf.
      guard node.length < 128 else { break }
      index = Self.bit(Int(node.length), of: key) ? node.one : node.zero
    }
    return best == Self.none ? nil : best
  }

  /// Exactly this prefix.
  internal func exactMatch(_ key: UInt128, length: Int) -> Index? {
    guard let (index, _, _) = find(key, length: length), !nodes[Int(index)].isBranch else { return nil }
    return index
  }

  internal func target(_ index: Index) -> Route.Target {
    Route.Target(stored: nodes.span[Int(index)].target)
  }

  internal func length(_ index: Index) -> Int {
    Int(nodes.span[Int(index)].length)
  }

  internal func isOwner(_ peer: PeerID, of index: Index) -> Bool {
    let node = nodes.span[Int(index)]
    guard peer.rawValue >= PeerSet.wordWidth else { return node.owners >> peer.rawValue & 1 != 0 }
    return node.spill != Self.none && spilled.span[Int(node.spill)].owners.contains(peer)
  }

  internal func isSource(_ peer: PeerID, of index: Index) -> Bool {
    let node = nodes.span[Int(index)]
    guard peer.rawValue >= PeerSet.wordWidth else { return node.sources >> peer.rawValue & 1 != 0 }
    return node.spill != Self.none && spilled.span[Int(node.spill)].sources.contains(peer)
  }

  /// The whole route; for the control thread.
  internal func route(_ index: Index) -> Route {
    let node = nodes[Int(index)]
    guard node.spill == Self.none else { return spilled[Int(node.spill)] }
    return Route(
      Route.Target(stored: node.target), owners: PeerSet(word: node.owners),
      sources: PeerSet(word: node.sources))
  }

  /// Visits every prefix by key, the shorter of two first.
  internal func forEach(_ body: (_ key: UInt128, _ length: Int, _ route: Route) -> Void) {
    var pending = root == Self.none ? [] : [root]
    while let index = pending.popLast() {
      let node = nodes[Int(index)]
      if !node.isBranch { body(node.key, Int(node.length), route(index)) }
      if node.one != Self.none { pending.append(node.one) }
      if node.zero != Self.none { pending.append(node.zero) }
    }
  }

  // MARK: Change

  /// Sets the route of a prefix whose bits beyond `length` are zero.
  internal mutating func insert(_ key: UInt128, length: Int, route: Route) {
    var link = Link.root
    while true {
      let index = self[link]
      guard index != Self.none else {
        self[link] = makeNode(key, length: length, route: route)
        return
      }
      let node = nodes[Int(index)]
      let shared = min(node.shares(key), length, Int(node.length))
      if shared == Int(node.length) {
        guard shared < length else {
          if node.isBranch { count += 1 }
          setRoute(route, at: index)
          return
        }
        link = Self.bit(shared, of: key) ? .one(of: index) : .zero(of: index)
        continue
      }
      // The two part inside this edge: at the new prefix itself, or at a branch above both.
      let new = makeNode(key, length: length, route: route)
      guard shared < length else {
        attach(index, below: new)
        self[link] = new
        return
      }
      let branch = makeNode(key & ~(UInt128.max >> UInt128(shared)), length: shared, route: nil)
      attach(index, below: branch)
      attach(new, below: branch)
      self[link] = branch
      return
    }
  }

  /// Removes a prefix; whether it was there.
  @discardableResult
  internal mutating func remove(_ key: UInt128, length: Int) -> Bool {
    guard let (index, link, parent) = find(key, length: length), !nodes[Int(index)].isBranch else {
      return false
    }
    setRoute(nil, at: index)
    count -= 1
    collapse(index, at: link)
    // The parent may have been there only to part two prefixes.
    if let parent, self[parent] != Self.none { collapse(self[parent], at: parent) }
    return true
  }

  /// Takes a branch without two sides out of the trie.
  private mutating func collapse(_ index: Index, at link: Link) {
    let node = nodes[Int(index)]
    guard node.isBranch, node.zero == Self.none || node.one == Self.none else { return }
    self[link] = node.zero == Self.none ? node.one : node.zero
    nodes[Int(index)].zero = freeNode
    freeNode = index
  }

  private func find(_ key: UInt128, length: Int) -> (index: Index, link: Link, parent: Link?)? {
    var link = Link.root
    var parent: Link?
    while true {
      let index = self[link]
      guard index != Self.none else { return nil }
      let node = nodes[Int(index)]
      guard Int(node.length) <= length, node.shares(key) >= Int(node.length) else { return nil }
      guard Int(node.length) < length else { return (index, link, parent) }
      parent = link
      link = Self.bit(Int(node.length), of: key) ? .one(of: index) : .zero(of: index)
    }
  }

  private mutating func makeNode(_ key: UInt128, length: Int, route: Route?) -> Index {
    let node = Node(key: key, length: UInt8(length))
    let index: Index
    if freeNode != Self.none {
      index = freeNode
      freeNode = nodes[Int(index)].zero
      nodes[Int(index)] = node
    } else {
      index = Index(nodes.count)
      nodes.append(node)
    }
    if let route {
      setRoute(route, at: index)
      count += 1
    }
    return index
  }

  private mutating func setRoute(_ route: Route?, at index: Index) {
    let spill = nodes[Int(index)].spill
    if spill != Self.none {
      spilled[Int(spill)] = Route(.none)
      freeSpills.append(spill)
    }
    nodes[Int(index)].spill = Self.none
    nodes[Int(index)].target = route?.target.stored ?? Route.Target.Stored.branch
    nodes[Int(index)].owners = route?.owners.word ?? 0
    nodes[Int(index)].sources = route?.sources.word ?? 0
    guard let route, !route.owners.others.isEmpty || !route.sources.others.isEmpty else { return }
    if let free = freeSpills.popLast() {
      spilled[Int(free)] = route
      nodes[Int(index)].spill = free
    } else {
      nodes[Int(index)].spill = Index(spilled.count)
      spilled.append(route)
    }
  }

  private mutating func attach(_ child: Index, below parent: Index) {
    let isOne = Self.bit(Int(nodes[Int(parent)].length), of: nodes[Int(child)].key)
    self[isOne ? .one(of: parent) : .zero(of: parent)] = child
  }

  private subscript(link: Link) -> Index {
    get {
      switch link {
      case .root: root
      case .zero(let index): nodes[Int(index)].zero
      case .one(let index): nodes[Int(index)].one
      }
    }
    set {
      switch link {
      case .root: root = newValue
      case .zero(let index): nodes[Int(index)].zero = newValue
      case .one(let index): nodes[Int(index)].one = newValue
      }
    }
  }

  /// Bit `position` of `key`, the most significant being 0.
  private static func bit(_ position: Int, of key: UInt128) -> Bool {
    UInt64(truncatingIfNeeded: key &>> UInt128(truncatingIfNeeded: 127 &- position)) & 1 != 0
  }
}
