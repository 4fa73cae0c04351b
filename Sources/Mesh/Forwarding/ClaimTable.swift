/// Who owns and who announces prefixes, each combination kept once: most prefixes share theirs with many others.
///
/// Look-ups neither allocate nor count references.
internal struct ClaimTable: Sendable {
  /// Names a combination.
  internal typealias Index = UInt32

  /// No owner, no source.
  internal static let nobody: Index = 0
  /// The target is the only owner, and there is no source: WireGuard's own routing needs no other.
  internal static let target: Index = 1
  /// The first that is in `rows`.
  private static let first: Index = 2

  private struct Claim: Hashable {
    var owners: PeerSet
    var sources: PeerSet
  }

  private struct Row {
    var claim: Claim
    var useCount: Int
  }

  private var rows: [Row] = []
  private var indices: [Claim: Index] = [:]
  private var free: [Index] = []

  internal func isOwner(_ peer: PeerID, _ index: Index, target: UInt32) -> Bool {
    switch index {
    case Self.nobody: false
    case Self.target: target == peer.rawValue
    default: rows.span[Int(index - Self.first)].claim.owners.contains(peer)
    }
  }

  internal func isSource(_ peer: PeerID, _ index: Index) -> Bool {
    index >= Self.first && rows.span[Int(index - Self.first)].claim.sources.contains(peer)
  }

  /// The sets of a combination at a prefix with this target.
  internal func sets(_ index: Index, target: Route.Target) -> (owners: PeerSet, sources: PeerSet) {
    switch (index, target) {
    case (Self.target, .peer(let peer)): return ([peer], [])
    case (Self.nobody, _), (Self.target, _): return ([], [])
    default:
      let claim = rows[Int(index - Self.first)].claim
      return (claim.owners, claim.sources)
    }
  }

  /// Counts one more use of the combination that the route has.
  internal mutating func retain(_ route: Route) -> Index {
    if route.sources.isEmpty {
      if route.owners.isEmpty { return Self.nobody }
      if case .peer(let peer) = route.target, route.owners == [peer] { return Self.target }
    }
    let claim = Claim(owners: route.owners, sources: route.sources)
    if let index = indices[claim] {
      rows[Int(index - Self.first)].useCount += 1
      return index
    }
    let row = Row(claim: claim, useCount: 1)
    let index: Index
    if let last = free.popLast() {
      index = last
      rows[Int(index - Self.first)] = row
    } else {
      index = Index(rows.count) + Self.first
      rows.append(row)
    }
    indices[claim] = index
    return index
  }

  /// Counts one use less; the last one frees the row.
  internal mutating func release(_ index: Index) {
    guard index >= Self.first else { return }
    let place = Int(index - Self.first)
    rows[place].useCount -= 1
    guard rows[place].useCount == 0 else { return }
    indices[rows[place].claim] = nil
    rows[place].claim = Claim(owners: [], sources: [])
    free.append(index)
  }
}
