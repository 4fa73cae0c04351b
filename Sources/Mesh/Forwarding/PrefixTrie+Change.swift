// Changes, and what only the control thread asks.
extension PrefixTrie {
  /// A prefix as a key, its bits beyond the length zero.
  internal struct Prefix: Sendable, BitwiseCopyable {
    var key: UInt128
    var length: Int
  }

  /// The place that names a node: a root, or one side of a node.
  private enum Link {
    case root
    case sources(of: Index)
    case zero(of: Index)
    case one(of: Index)
  }

  /// The route of exactly this prefix, for packets from anywhere or from exactly these sources.
  internal func exactMatch(_ prefix: Prefix, from source: Prefix?) -> Index? {
    guard var (index, _, _) = find(prefix, below: .root) else { return nil }
    if let source {
      guard nodes[Int(index)].hasSources, let (specific, _, _) = find(source, below: .sources(of: index))
      else {
        return nil
      }
      index = specific
    }
    return isRoute(index) ? index : nil
  }

  /// Sets a route, which must not be empty.
  internal mutating func insert(_ prefix: Prefix, from source: Prefix?, _ route: Route) {
    let row = makeRow(prefix, below: .root)
    guard let source else {
      if !isRoute(row) { count += 1 }
      setRoute(route, at: row)
      return
    }
    if !nodes[Int(row)].hasSources { addSourceTrie(to: row) }
    let index = makeRow(source, below: .sources(of: row))
    if !isRoute(index) { count += 1 }
    let former = self.route(index).sources
    setRoute(route, at: index)
    updateAnnouncers(of: row, former: former, new: route.sources)
  }

  /// Removes a route; whether it was there.
  internal mutating func remove(_ prefix: Prefix, from source: Prefix?) -> Bool {
    guard let (row, link, parent) = find(prefix, below: .root) else { return false }
    if let source {
      guard nodes[Int(row)].hasSources,
        let (index, inner, innerParent) = find(source, below: .sources(of: row)), isRoute(index)
      else { return false }
      let former = route(index).sources
      setRoute(nil, at: index)
      erase(index, at: inner, below: innerParent)
      updateAnnouncers(of: row, former: former, new: [])
      if self[.sources(of: row)] == Self.none { removeSourceTrie(of: row) }
    } else {
      guard isRoute(row) else { return false }
      setRoute(nil, at: row)
    }
    count -= 1
    if !isRoute(row), !nodes[Int(row)].hasSources { erase(row, at: link, below: parent) }
    return true
  }

  /// Whether the node says something by itself; one with sources need not.
  internal func isRoute(_ index: Index) -> Bool {
    let node = nodes[Int(index)]
    return node.isTargeted(below: Route.Target.Stored.none)
      || (!node.isBranch && claim(of: node) != ClaimTable.nobody)
  }

  // MARK: Nodes

  private func find(_ prefix: Prefix, below start: Link) -> (index: Index, link: Link, parent: Link?)? {
    var link = start
    var parent: Link?
    while true {
      let index = self[link]
      guard index != Self.none else { return nil }
      let node = nodes[Int(index)]
      guard node.length <= prefix.length, node.shares(prefix.key) >= node.length else { return nil }
      guard node.length < prefix.length else { return node.isBranch ? nil : (index, link, parent) }
      parent = link
      link = Self.bit(node.length, of: prefix.key) ? .one(of: index) : .zero(of: index)
    }
  }

  /// The node of a prefix, no branch; a new one has no route yet.
  private mutating func makeRow(_ prefix: Prefix, below start: Link) -> Index {
    var link = start
    while true {
      let index = self[link]
      guard index != Self.none else {
        let new = makeNode(prefix, target: Route.Target.Stored.none)
        self[link] = new
        return new
      }
      let node = nodes[Int(index)]
      let shared = min(node.shares(prefix.key), prefix.length, node.length)
      if shared == node.length {
        guard shared < prefix.length else {
          if node.isBranch { nodes[Int(index)].target = Route.Target.Stored.none }
          return index
        }
        link = Self.bit(shared, of: prefix.key) ? .one(of: index) : .zero(of: index)
        continue
      }
      // The two part inside this edge: at the new prefix itself, or at a branch above both.
      let new = makeNode(prefix, target: Route.Target.Stored.none)
      guard shared < prefix.length else {
        attach(index, below: new)
        self[link] = new
        return new
      }
      let part = Prefix(key: prefix.key & ~(UInt128.max >> UInt128(shared)), length: shared)
      let branch = makeNode(part, target: Route.Target.Stored.branch)
      attach(index, below: branch)
      attach(new, below: branch)
      self[link] = branch
      return new
    }
  }

  private mutating func makeNode(_ prefix: Prefix, target: UInt32) -> Index {
    let node = Node(key: prefix.key, length: prefix.length, target: target)
    guard freeNode == Self.none else {
      let index = freeNode
      freeNode = nodes[Int(index)].zero
      nodes[Int(index)] = node
      return index
    }
    // By a sixteenth, not to twice the size: most of the memory of a large table is here.
    if nodes.count == nodes.capacity { nodes.reserveCapacity(nodes.count + nodes.count / 16 + 8) }
    nodes.append(node)
    return Index(nodes.count - 1)
  }

  /// Makes a branch of a node without route, and takes out what is then no longer needed to part two prefixes.
  private mutating func erase(_ index: Index, at link: Link, below parent: Link?) {
    nodes[Int(index)].target = Route.Target.Stored.branch
    collapse(index, at: link)
    if let parent, self[parent] != Self.none { collapse(self[parent], at: parent) }
  }

  /// Takes a branch without two sides out of the trie.
  private mutating func collapse(_ index: Index, at link: Link) {
    let node = nodes[Int(index)]
    guard node.isBranch, node.zero == Self.none || node.one == Self.none else { return }
    self[link] = node.zero == Self.none ? node.one : node.zero
    nodes[Int(index)].zero = freeNode
    freeNode = index
  }

  private mutating func attach(_ child: Index, below parent: Index) {
    let isOne = Self.bit(nodes[Int(parent)].length, of: nodes[Int(child)].key)
    self[isOne ? .one(of: parent) : .zero(of: parent)] = child
  }

  private subscript(link: Link) -> Index {
    get {
      switch link {
      case .root: root
      case .sources(let index): sourceTries[Int(nodes[Int(index)].note)].root
      case .zero(let index): nodes[Int(index)].zero
      case .one(let index): nodes[Int(index)].one
      }
    }
    set {
      switch link {
      case .root: root = newValue
      case .sources(let index): sourceTries[Int(nodes[Int(index)].note)].root = newValue
      case .zero(let index): nodes[Int(index)].zero = newValue
      case .one(let index): nodes[Int(index)].one = newValue
      }
    }
  }

  // MARK: What a node says

  private mutating func setRoute(_ route: Route?, at index: Index) {
    let node = nodes[Int(index)]
    let former = claim(of: node)
    let new = route.map { claims.retain($0) } ?? ClaimTable.nobody
    claims.release(former)
    nodes[Int(index)].target = route?.target.stored ?? Route.Target.Stored.none
    if node.hasSources {
      sourceTries[Int(node.note)].claim = new
    } else {
      nodes[Int(index)].note = new
    }
  }

  private mutating func addSourceTrie(to row: Index) {
    let trie = SourceTrie(claim: nodes[Int(row)].note)
    let place: Index
    if let free = freeSourceTries.popLast() {
      sourceTries[Int(free)] = trie
      place = free
    } else {
      place = Index(sourceTries.count)
      sourceTries.append(trie)
    }
    nodes[Int(row)].note = place
    nodes[Int(row)].hasSources = true
  }

  private mutating func removeSourceTrie(of row: Index) {
    let place = nodes[Int(row)].note
    nodes[Int(row)].note = sourceTries[Int(place)].claim
    nodes[Int(row)].hasSources = false
    freeSourceTries.append(place)
  }

  /// Brings the announcers of a prefix up to date after one of its sources had `former` and has `new`.
  private mutating func updateAnnouncers(of row: Index, former: PeerSet, new: PeerSet) {
    let place = Int(nodes[Int(row)].note)
    var announcers = new
    if former.isSubset(of: new) {
      announcers.formUnion(sourceTries[place].announcers)
    } else {
      forEach(from: sourceTries[place].root) { index, _ in announcers.formUnion(route(index).sources) }
    }
    sourceTries[place].announcers = announcers
  }
}
