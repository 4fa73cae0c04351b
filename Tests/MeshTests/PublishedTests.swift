import Mesh
import Synchronization
import Testing

@Suite struct PublishedTests {
  @Test func aReaderSeesTheNewestValue() {
    let cell = Published(1)
    var reader = cell.reader()
    #expect(reader.current() == 1)
    cell.publish(2)
    cell.publish(3)
    #expect(reader.current() == 3)
    #expect(reader.current() == 3)
    var late = cell.reader()
    #expect(late.current() == 3)
  }

  @Test func theOldValueLivesUntilTheLastReaderMovesOn() {
    final class Token: Sendable {}
    weak var old: Token?
    let cell: Published<Token>
    do {
      let token = Token()
      old = token
      cell = Published(token)
    }
    var reader = cell.reader()
    cell.publish(Token())
    #expect(old != nil)
    _ = reader.current()
    #expect(old == nil)
  }

  private final class Counter: Sendable {
    let value = Atomic(0)
  }

  /// Values only grow, and what was published before a reader looked is never missed.
  @Test func twoThreadsSeeValuesInOrder() async {
    let cell = Published(0)
    let published = Counter()
    await withTaskGroup { group in
      group.addTask {
        for value in 1...20_000 {
          cell.publish(value)
          published.value.store(value, ordering: .releasing)
        }
      }
      for _ in 0..<2 {
        group.addTask {
          var reader = cell.reader()
          var last = 0
          while last < 20_000 {
            let floor = published.value.load(ordering: .acquiring)
            let value = reader.current()
            #expect(value >= last && value >= floor)
            last = value
          }
        }
      }
    }
  }
}
