internal import Synchronization

/// A value that one thread replaces and many threads read.
///
/// Readers pay one acquiring load while nothing changed, and lock only to take the new value. A reader keeps the value it
/// saw alive, so every reader must be woken after `publish`: an idle one would hold on to keys that have expired.
public final class Published<Value: Sendable>: Sendable {
  private let value: Mutex<Value>
  private let generation = Atomic<UInt64>(0)

  /// Publishes the first value.
  public init(_ value: Value) {
    self.value = Mutex(value)
  }

  /// Replaces the value. Readers see it from their next `current()` on.
  public func publish(_ newValue: Value) {
    value.withLock { value in
      value = newValue
      generation.wrappingAdd(1, ordering: .releasing)
    }
  }

  /// A reader for one thread.
  public func reader() -> Reader {
    let (value, seen) = snapshot()
    return Reader(cell: self, seen: seen, value: value)
  }

  private func snapshot() -> (value: Value, generation: UInt64) {
    value.withLock { ($0, generation.load(ordering: .relaxed)) }
  }

  /// One thread's view of the value.
  public struct Reader: ~Copyable {
    private let cell: Published
    private var seen: UInt64
    private var value: Value

    fileprivate init(cell: Published, seen: UInt64, value: Value) {
      self.cell = cell
      self.seen = seen
      self.value = value
    }

    /// The newest value published.
    public mutating func current() -> Value {
      if cell.generation.load(ordering: .acquiring) != seen { refresh() }
      return value
    }

    @inline(never)
    private mutating func refresh() {
      (value, seen) = cell.snapshot()
    }
  }
}
