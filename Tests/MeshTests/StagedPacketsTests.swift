import Testing

@testable import Mesh

/// Packets that wait for a session.
@Suite struct StagedPacketsTests {
  @Test func packetsComeOutInOrder() {
    var staged = StagedPackets()
    #expect(staged.isEmpty)
    for octet in 1...3 as ClosedRange<UInt8> {
      let isFull = staged.append([octet])
      #expect(!isFull)
    }
    #expect(!staged.isEmpty)
    var taken: [[UInt8]] = []
    while let packet = staged.popFirst() { taken.append(packet) }
    #expect(taken == [[1], [2], [3]])
  }

  @Test func oldestGoesWhenThereIsNoRoom() {
    var staged = StagedPackets()
    for octet in 0..<StagedPackets.capacity {
      let isFull = staged.append([UInt8(octet)])
      #expect(!isFull)
    }
    let isFull = staged.append([255])
    #expect(isFull)
    let first = staged.popFirst()
    #expect(first == [1])
    let dropped = staged.removeAll()
    #expect(dropped == StagedPackets.capacity - 1)
    #expect(staged.isEmpty)
  }
}
