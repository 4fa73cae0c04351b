import Mesh
import Synchronization
import Tun

/// Opens initiations in a thread of its own, so that the control thread only answers those of known peers.
final class HandshakeOpener: Sendable {
  private struct Work: Sendable {
    var waiting: [Opening] = []
    var done: [Opening.Result] = []
  }

  /// Becomes readable when there are results.
  let results: Wakeup
  private let arrivals: Wakeup
  private let work = Mutex(Work())
  private let stopping = Atomic(false)

  init() throws {
    results = try Wakeup()
    arrivals = try Wakeup()
  }

  /// Hands over initiations; for the control thread, which keeps them within `Opening.capacity`.
  func open(_ openings: [Opening]) {
    guard !openings.isEmpty else { return }
    work.withLock { $0.waiting += openings }
    arrivals.signal()
  }

  /// Takes what is done, in the order in which it was handed over.
  func takeResults() -> [Opening.Result] {
    results.clear()
    return work.withLock { work in
      defer { work.done = [] }
      return work.done
    }
  }

  /// Makes `run` end.
  func stop() {
    stopping.store(true, ordering: .releasing)
    arrivals.signal()
  }

  /// Works until `stop`; for its thread.
  func run() throws {
    var poller = try Poller<Token>()
    try poller.add(arrivals.descriptor, as: .arrivals)
    while !stopping.load(ordering: .acquiring) {
      try poller.wait(atMost: nil)
      arrivals.clear()
      for opening in takeWaiting() { finish(opening.run()) }
    }
  }

  private func takeWaiting() -> [Opening] {
    work.withLock { work in
      defer { work.waiting = [] }
      return work.waiting
    }
  }

  /// The first result wakes the control thread; what is done until it looks comes along.
  private func finish(_ result: Opening.Result) {
    let isFirst = work.withLock { work in
      work.done.append(result)
      return work.done.count == 1
    }
    if isFirst { results.signal() }
  }

  private enum Token: UInt64 {
    case arrivals
  }
}
