internal import Net

/// Who wants to be woken when: a binary heap of deadlines.
///
/// Deadlines live in the rows of the tables; the queue holds at most hints. A row that moves its deadline back leaves its
/// old hint where it is and is asked again when that comes up, so refreshing a route costs nothing here.
struct DeadlineQueue<Subject: Sendable>: Sendable {
  private struct Hint: Sendable {
    var time: Instant
    // Equal times come out in the order they went in, for the same run from the same seed.
    var order: UInt64
    var subject: Subject

    func comesBefore(_ other: Hint) -> Bool {
      time != other.time ? time < other.time : order < other.order
    }
  }

  private var heap: [Hint] = []
  private var order: UInt64 = 0

  /// The earliest time in the queue.
  var first: Instant { heap.first?.time ?? .distantFuture }

  /// Adds a hint.
  mutating func insert(_ subject: Subject, at time: Instant) {
    order += 1
    heap.appendTightly(Hint(time: time, order: order, subject: subject))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].comesBefore(heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes the earliest hint out if its time has come.
  mutating func removeFirst(dueAt now: Instant) -> (subject: Subject, time: Instant)? {
    guard let first = heap.first, first.time <= now else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return (first.subject, first.time) }
    heap[0] = last
    var parent = 0
    while true {
      var smallest = parent
      for child in (2 * parent + 1)...(2 * parent + 2) where child < heap.count {
        if heap[child].comesBefore(heap[smallest]) { smallest = child }
      }
      guard smallest != parent else { break }
      heap.swapAt(parent, smallest)
      parent = smallest
    }
    return (first.subject, first.time)
  }
}
