internal import Net

// What waits to be told: keys, never values.
extension Neighbour {
  /// Queues an update that somebody waits for; `false` if nobody would hear it.
  ///
  /// `repeats` is how many more copies it is worth.
  mutating func queue(_ key: RouteKey, repeats: Int) -> Bool {
    guard isHeard else { return false }
    // What a meshd does not know, it must not miss: the next full update is far away.
    let repeats = isMeshd ? Speaker.copies : repeats
    pendingUpdates.insert(key, repeats: repeats)
    calmUpdates.remove(key)
    return true
  }

  /// Queues an update of a metric; `false` if there is no need.
  mutating func queueCalmly(_ key: RouteKey, isNotable: Bool) -> Bool {
    guard isHeard, isNotable || isMeshd, !pendingUpdates.contains(key) else { return false }
    calmUpdates.insert(key)
    return true
  }

  /// Has the changed metrics leave at `time`, but not sooner than `pause` after the last ones.
  mutating func hastenCalmUpdates(to time: Instant, pause: Duration) {
    let earliest = lastCalm?.advanced(by: pause) ?? time
    calmDeadline = min(calmDeadline, max(time, earliest))
  }

  /// Has the changed metrics leave with the next packet, if their time has come.
  mutating func releaseCalmUpdates(at now: Instant) {
    guard calmDeadline <= now else { return }
    for key in calmUpdates { pendingUpdates.insert(key, repeats: isMeshd ? Speaker.copies : 0) }
    calmUpdates = []
    calmDeadline = .distantFuture
    lastCalm = now
  }

  /// Takes out all updates that wait.
  mutating func takePendingUpdates() -> UpdateQueue {
    defer { pendingUpdates = UpdateQueue() }
    return pendingUpdates
  }

  /// Queues once more what was not acknowledged.
  mutating func repeatUpdate(_ item: Unacknowledged.Item) {
    pendingUpdates.insert(item.key, repeats: item.repeats - 1)
  }
}
