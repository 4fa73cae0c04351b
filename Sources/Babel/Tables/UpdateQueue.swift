internal import HeapModule

/// The updates that wait for one neighbour: keys, never values, and how many more copies each is worth.
///
/// They leave by the rank they had when a packet was last filled after they were added. Very many may wait, and the pace
/// lets few go at once, so it costs next to nothing that others stay.
struct UpdateQueue: Sendable {
  // In an order that reaches nothing.
  private var repeats: [RouteKey: Int] = [:]
  /// What was added since a packet was last filled.
  private var unranked: [RouteKey] = []
  /// The others.
  ///
  /// A key that was added again is in here again, and leaves by the better rank.
  private var ranked = Heap<AnnouncementRank>()

  /// How many wait.
  var count: Int { repeats.count }
  /// Whether none does.
  var isEmpty: Bool { repeats.isEmpty }

  /// Whether an update of `key` waits.
  func contains(_ key: RouteKey) -> Bool { repeats[key] != nil }

  /// Adds an update; one that waits already is worth as many copies as the one that is worth more.
  mutating func insert(_ key: RouteKey, repeats copies: Int) {
    repeats[key] = max(repeats[key] ?? 0, copies)
    unranked.append(key)
    guard ranked.count + unranked.count > 2 * count + 64 else { return }
    ranked = Heap()
    unranked = Array(repeats.keys)
  }

  /// Takes out the update that is first by `rank`.
  mutating func removeFirst(
    by rank: (RouteKey) -> AnnouncementRank
  ) -> (key: RouteKey, repeats: Int)? {
    if !unranked.isEmpty {
      ranked.insert(contentsOf: unranked.map(rank))
      unranked = []
    }
    while let key = ranked.popMin()?.key {
      guard let copies = repeats.removeValue(forKey: key) else { continue }
      // A dictionary keeps the room it once needed.
      if repeats.isEmpty { self = UpdateQueue() }
      return (key, copies)
    }
    return nil
  }
}
