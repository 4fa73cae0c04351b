public import Net

/// What happens when: a binary heap, first in first out among events of one instant.
public struct EventQueue<Event> {
  private struct Entry {
    var instant: Instant
    var number: UInt64
    var event: Event

    func precedes(_ other: Entry) -> Bool {
      instant == other.instant ? number < other.number : instant < other.instant
    }
  }

  private var heap: [Entry] = []
  private var nextNumber: UInt64 = 0

  /// Makes an empty queue.
  public init() {}

  /// When the first event happens; `nil` if nothing will.
  public var first: Instant? { heap.first?.instant }

  /// Adds an event.
  public mutating func insert(_ event: Event, at instant: Instant) {
    heap.append(Entry(instant: instant, number: nextNumber, event: event))
    nextNumber += 1
    var child = heap.count - 1
    while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Takes out the event that happens first.
  public mutating func popFirst() -> (instant: Instant, event: Event)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return (first.instant, first.event) }
    heap[0] = last
    var parent = 0
    while let child = smallerChild(of: parent), heap[child].precedes(heap[parent]) {
      heap.swapAt(child, parent)
      parent = child
    }
    return (first.instant, first.event)
  }

  private func smallerChild(of parent: Int) -> Int? {
    let left = 2 * parent + 1
    guard left < heap.count else { return nil }
    return left + 1 < heap.count && heap[left + 1].precedes(heap[left]) ? left + 1 : left
  }
}
