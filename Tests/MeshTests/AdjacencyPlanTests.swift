import Net
import Testing

@testable import Mesh

@Suite struct AdjacencyPlanTests {
  private static func candidates(_ count: Int, roundTrip: (Int) -> Duration? = { _ in nil }) -> [AdjacencyPlan
    .Candidate]
  {
    (0..<count).map { number in
      var random = SplitMix64(seed: UInt64(number))
      return AdjacencyPlan.Candidate(
        id: PeerID(rawValue: UInt32(number)), score: random.next(), roundTrip: roundTrip(number))
    }
  }

  @Test func fewPeersAreAllChosen() {
    #expect(AdjacencyPlan.choose(Self.candidates(5), limit: 16).count == 5)
    #expect(AdjacencyPlan.choose(Self.candidates(50), limit: .max).count == 50)
  }

  @Test func manyPeersAreBoundedNearOnesFirstAndSomeByChance() {
    let candidates = Self.candidates(100) { .milliseconds(200 - $0) }
    let chosen = AdjacencyPlan.choose(candidates, limit: 16)
    #expect(chosen.count == 16)
    let byChance = Set(candidates.sorted { $0.score < $1.score }.prefix(4).map(\.id))
    #expect(byChance.isSubset(of: chosen))
    #expect(chosen.subtracting(byChance).allSatisfy { $0.rawValue >= 84 })
  }

  @Test func chosenPeersStayUnlessOthersAreFarNearer() {
    var candidates = Self.candidates(40) { _ in .milliseconds(20) }
    let first = AdjacencyPlan.choose(candidates, limit: 8)
    for index in candidates.indices { candidates[index].isCurrent = first.contains(candidates[index].id) }
    for index in candidates.indices where !candidates[index].isCurrent {
      candidates[index].roundTrip = .milliseconds(15)
    }
    #expect(AdjacencyPlan.choose(candidates, limit: 8) == first)
    for index in candidates.indices where !candidates[index].isCurrent {
      candidates[index].roundTrip = .milliseconds(5)
    }
    #expect(AdjacencyPlan.choose(candidates, limit: 8) != first)
  }

  @Test func neededPeersAreChosenButNeverMoreThanHalf() {
    var candidates = Self.candidates(100) { .milliseconds(10 + $0) }
    for index in 80..<83 { candidates[index].isNeeded = true }
    let chosen = AdjacencyPlan.choose(candidates, limit: 8)
    #expect(Set(candidates[80..<83].map(\.id)).isSubset(of: chosen) && chosen.count == 8)
    for index in 40..<100 { candidates[index].isNeeded = true }
    let needed = AdjacencyPlan.choose(candidates, limit: 8).filter { $0.rawValue >= 40 }
    #expect(needed.count <= 4 + 2)
  }

  @Test func lostPeerIsChosenWhateverItsLuck() {
    // Many leaves of a star are needed, and all but one have been found.
    for lost in 0..<100 {
      var candidates = Self.candidates(100)
      for index in candidates.indices { candidates[index].isNeeded = true }
      candidates[lost].isLost = true
      #expect(AdjacencyPlan.choose(candidates, limit: 8).contains(candidates[lost].id))
    }
  }
}
