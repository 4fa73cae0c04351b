import Mesh
import Net
import Testing

@Suite struct PacketOrderTests {
  private let early = Instant(nanoseconds: 1)
  private let late = Instant(nanoseconds: 2)

  @Test func numbersOfOneSessionAreInOrder() {
    let first = PacketOrder(session: early, counter: 1)
    let second = PacketOrder(session: early, counter: 2)
    #expect(first.precedes(second) && !second.precedes(first) && !first.precedes(first))
  }

  /// Two handshakes that cross leave each end with the other's session as the newer one.
  @Test func nothingIsKnownAcrossSessions() {
    let first = PacketOrder(session: early, counter: 7)
    let second = PacketOrder(session: late, counter: 3)
    #expect(!first.precedes(second) && !second.precedes(first))
  }
}
