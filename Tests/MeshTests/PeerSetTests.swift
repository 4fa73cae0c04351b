import Mesh
import Net
import Testing

@Suite struct PeerSetTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func agreesWithASetAcrossTheWordsEnd(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var set = PeerSet()
    var model: Set<PeerID> = []
    for _ in 0..<2_000 {
      let peer = PeerID(rawValue: UInt32(random.next() % 200))
      if random.next() % 2 == 0 {
        set.insert(peer)
        model.insert(peer)
      } else {
        set.remove(peer)
        model.remove(peer)
      }
      #expect(set.count == model.count && set.isEmpty == model.isEmpty, "seed \(seed)")
      let other = PeerID(rawValue: UInt32(random.next() % 200))
      #expect(set.contains(other) == model.contains(other), "seed \(seed)")
    }
    #expect(set.peers == model.sorted())
    #expect(set == PeerSet(model))
  }
}
