import Net
import Noise
import Testing

@Suite struct ReplayWindowTests {
  struct File: Decodable {
    struct Sequence: Decodable {
      var name: String
      var steps: [Step]
    }
    struct Step: Decodable {
      var counters: String
      var isAccepted: Bool
      init(from decoder: any Decoder) throws {
        var row = try decoder.unkeyedContainer()
        counters = try row.decode(String.self)
        isAccepted = try row.decode(Bool.self)
      }
    }
    var sets: [Sequence]
  }

  @Test func decidesAsTheVectorsSay() throws {
    var decisions = 0
    for sequence in try Vectors.load(File.self, from: "replay-counter").sets {
      var window = ReplayWindow()
      for step in sequence.steps {
        let ends = try step.counters.split(separator: ".").map { try #require(UInt64($0)) }
        let (first, last) = (ends[0], ends[ends.count - 1])
        var counter = first
        while true {
          decisions += 1
          let isAccepted = window.accept(counter)
          if isAccepted != step.isAccepted {
            Issue.record("\(sequence.name): \(counter) is accepted: \(isAccepted)")
          }
          guard counter != last else { break }
          counter = first < last ? counter + 1 : counter - 1
        }
      }
    }
    #expect(decisions == 48_813)
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func agreesWithASetOfCounters(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var window = ReplayWindow()
    var seen: Set<UInt64> = []
    var highest: UInt64 = 0
    for _ in 0..<40_000 {
      let spread: UInt64 = [100, 9_000, 20_000][Int.random(in: 0..<3, using: &random)]
      let floor = highest > spread ? highest - spread : 0
      let counter = UInt64.random(in: floor...highest + 64, using: &random)
      let isFresh =
        !seen.contains(counter) && (counter > highest || highest - counter <= ReplayWindow.size)
      if window.accept(counter) != isFresh { Issue.record("seed \(seed), counter \(counter)") }
      seen.insert(counter)
      highest = max(highest, counter)
    }
  }
}
