import Mesh
import Net
import Noise
import Testing

@Suite struct ReceiverIndexTableTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func agreesWithADictionary(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var table = ReceiverIndexTable()
    var model: [UInt32: PeerID] = [:]
    for _ in 0..<4_000 {
      // Few low bits, so that runs of occupied places grow and wrap.
      let index = UInt32(random.next() % 16) << 24 | UInt32(random.next() % 64) | 0x30
      if random.next() % 2 == 0 {
        let peer = PeerID(rawValue: UInt32(random.next() % 9))
        table.insert(ReceiverIndex(index), of: peer)
        model[index] = peer
      } else {
        let wasThere = model.removeValue(forKey: index) != nil
        let removed = table.remove(ReceiverIndex(index))
        #expect(removed == wasThere, "seed \(seed)")
      }
      #expect(table.count == model.count, "seed \(seed)")
      let other = UInt32(random.next() % 16) << 24 | UInt32(random.next() % 64) | 0x30
      #expect(table[ReceiverIndex(other)] == model[other], "seed \(seed)")
    }
    for (index, peer) in model { #expect(table[ReceiverIndex(index)] == peer) }
  }

  @Test(arguments: [0, UInt32.max]) func everyIndexIsAnIndex(_ raw: UInt32) {
    var table = ReceiverIndexTable()
    #expect(table[ReceiverIndex(raw)] == nil)
    table.insert(ReceiverIndex(raw), of: PeerID(rawValue: 0))
    #expect(table[ReceiverIndex(raw)] == PeerID(rawValue: 0))
    let removed = table.remove(ReceiverIndex(raw))
    #expect(removed)
    #expect(table[ReceiverIndex(raw)] == nil && table.count == 0)
  }
}
