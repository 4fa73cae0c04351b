internal import Net

/// Which of many peers a node speaks Babel with.
///
/// Every adjacency carries every route of the network, so a node has no more than it needs for short ways and for
/// survival: near peers make the ways short, and a few that chance has chosen keep the network in one piece and its
/// diameter small. Chance is the same at both ends, so that they choose each other.
struct AdjacencyPlan {
  /// A peer that may be chosen.
  struct Candidate {
    var id: PeerID
    /// The same at both ends, and for each pair another.
    var score: UInt64
    /// The round trip, if it was ever measured.
    var roundTrip: Duration?
    /// Whether it was chosen before.
    var isCurrent = false
    /// Whether there was no other way to it.
    var isNeeded = false
    /// Whether there is none now.
    var isLost = false
  }

  /// What a peer's round trip counts for that is chosen already: others must be far nearer.
  private static let loyalty = 0.7

  /// The peers to be chosen, at most `limit`.
  static func choose(_ candidates: [Candidate], limit: Int) -> Set<PeerID> {
    guard candidates.count > limit else { return Set(candidates.map(\.id)) }
    var chosen: Set<PeerID> = []
    func take(
      _ count: Int, by precedes: (Candidate, Candidate) -> Bool, where isEligible: (Candidate) -> Bool
    ) {
      let rest = candidates.filter { !chosen.contains($0.id) && isEligible($0) }.sorted(by: precedes)
      for candidate in rest.prefix(max(count, 0)) { chosen.insert(candidate.id) }
    }
    take(limit / 2, by: isMissedMore) { $0.isNeeded }
    take(max(limit / 4, 1), by: hasLuck) { _ in true }
    take(limit - chosen.count, by: isNearer) { _ in true }
    return chosen
  }

  /// Who is found calls us, if need be, and makes room: with luck alone, some of many would never be looked for.
  private static func isMissedMore(_ candidate: Candidate, _ other: Candidate) -> Bool {
    candidate.isLost != other.isLost ? candidate.isLost : hasLuck(candidate, other)
  }

  private static func hasLuck(_ candidate: Candidate, _ other: Candidate) -> Bool {
    (candidate.score, candidate.id.rawValue) < (other.score, other.id.rawValue)
  }

  private static func isNearer(_ candidate: Candidate, _ other: Candidate) -> Bool {
    let (distance, otherDistance) = (distance(candidate), distance(other))
    return distance != otherDistance ? distance < otherDistance : hasLuck(candidate, other)
  }

  private static func distance(_ candidate: Candidate) -> Double {
    guard let roundTrip = candidate.roundTrip else { return .infinity }
    // What differs by less than a millisecond is equally near.
    let milliseconds = (roundTrip / .milliseconds(1)).rounded(.up)
    return candidate.isCurrent ? milliseconds * loyalty : milliseconds
  }
}
