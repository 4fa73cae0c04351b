import Net

/// The shapes of random networks.
enum Topology: String, CaseIterable {
  case line, ring, star, tree, grid, random, smallWorld, twoHubs

  /// Which of `count` hosts are peers; each is connected to all others in some way.
  func edges(_ count: Int, using random: inout SplitMix64) -> [Edge] {
    var edges: Set<Edge> = []
    switch self {
    case .line: edges = Self.line(count)
    case .ring: edges = Self.line(count).union([Edge(0, count - 1)])
    case .star: edges = Set((1..<count).map { Edge(0, $0) })
    case .tree: edges = Self.tree(count, using: &random)
    case .grid: edges = Self.grid(count)
    case .random:
      edges = Self.tree(count, using: &random)
      edges.formUnion(Self.chords(count, of: count, using: &random))
    case .smallWorld:
      edges = Self.line(count).union([Edge(0, count - 1)])
      edges.formUnion(Self.chords(count / 4, of: count, using: &random))
    case .twoHubs:
      edges = Set((2..<max(count, 2)).flatMap { [Edge(0, $0), Edge(1, $0)] })
      if count == 2 || random.next() % 2 == 0 { edges.insert(Edge(0, 1)) }
    }
    // Sets have no order that a seed could repeat.
    return edges.filter { $0.a != $0.b }.sorted { ($0.a, $0.b) < ($1.a, $1.b) }
  }

  private static func line(_ count: Int) -> Set<Edge> {
    Set((1..<count).map { Edge($0 - 1, $0) })
  }

  private static func tree(_ count: Int, using random: inout SplitMix64) -> Set<Edge> {
    var edges: Set<Edge> = []
    for host in 1..<count { edges.insert(Edge(random.number(below: host), host)) }
    return edges
  }

  private static func grid(_ count: Int) -> Set<Edge> {
    let width = Int(Double(count).squareRoot().rounded(.up))
    var edges: Set<Edge> = []
    for host in 0..<count {
      if host % width + 1 < width, host + 1 < count { edges.insert(Edge(host, host + 1)) }
      if host + width < count { edges.insert(Edge(host, host + width)) }
    }
    return edges
  }

  private static func chords(_ number: Int, of count: Int, using random: inout SplitMix64) -> Set<Edge> {
    var edges: Set<Edge> = []
    for _ in 0..<number { edges.insert(Edge(random.number(below: count), random.number(below: count))) }
    return edges
  }
}

/// Two hosts that are peers of each other.
struct Edge: Hashable {
  var a: Int
  var b: Int

  /// The order of the two does not matter.
  init(_ a: Int, _ b: Int) {
    self.a = min(a, b)
    self.b = max(a, b)
  }
}

extension SplitMix64 {
  /// A number from 0 up to `limit`, which is positive.
  mutating func number(below limit: Int) -> Int {
    Int(next() % UInt64(limit))
  }

  /// Whether something happens that does so once in `count` times.
  mutating func once(in count: Int) -> Bool {
    number(below: count) == 0
  }

  /// One of the elements, of which there is at least one.
  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[number(below: elements.count)]
  }
}
