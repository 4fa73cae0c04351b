import Mesh
import Net
import Noise
import Testing

@Suite struct ReceiverIndexTableTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func agreesWithADictionary(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var table = ReceiverIndexTable()
    var model: [UInt32: (keypair: Keypair, peer: PeerID)] = [:]
    for _ in 0..<4_000 {
      // Few low bits, so that runs of occupied places grow and wrap.
      let index = UInt32(random.next() % 16) << 24 | UInt32(random.next() % 64) | 0x30
      if random.next() % 2 == 0 {
        let keypair = Sessions.keypair(local: index)
        let peer = PeerID(rawValue: UInt32(random.next() % 9))
        table.insert(keypair, of: peer)
        model[index] = (keypair, peer)
      } else {
        let wasThere = model.removeValue(forKey: index) != nil
        let removed = table.remove(ReceiverIndex(index))
        #expect(removed == wasThere, "seed \(seed)")
      }
      #expect(table.count == model.count, "seed \(seed)")
      let other = UInt32(random.next() % 16) << 24 | UInt32(random.next() % 64) | 0x30
      let found = table[ReceiverIndex(other)]
      #expect(found?.keypair === model[other]?.keypair && found?.peer == model[other]?.peer, "seed \(seed)")
    }
    for (index, entry) in model { #expect(table[ReceiverIndex(index)]?.keypair === entry.keypair) }
  }

  @Test func zeroIsAnIndexLikeOthers() {
    var table = ReceiverIndexTable()
    #expect(table[ReceiverIndex(0)] == nil)
    table.insert(Sessions.keypair(local: 0), of: PeerID(rawValue: 3))
    #expect(table[ReceiverIndex(0)]?.peer == PeerID(rawValue: 3))
    let removed = table.remove(ReceiverIndex(0))
    #expect(removed)
    #expect(table[ReceiverIndex(0)] == nil && table.count == 0)
  }
}
