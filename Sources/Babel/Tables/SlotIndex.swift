/// Finds the rows of an array by their keys, which stay in the rows: four octets for each bucket.
///
/// Open addressing with linear probing; at most three quarters of the buckets are used. Hashes are seeded for each process
/// (`Hasher`), so that nobody can choose keys that meet; nothing ever depends on the order.
struct SlotIndex: Sendable {
  /// One more than a slot; 0 is empty.
  private var buckets: [UInt32] = []
  /// The number of slots in the index.
  private(set) var count = 0

  /// The slot with this hash for which `isMatch` says yes.
  @inline(__always)
  func slot(_ hash: Int, where isMatch: (Int) -> Bool) -> Int? {
    guard !buckets.isEmpty else { return nil }
    var bucket = home(of: hash)
    while buckets[bucket] != 0 {
      let slot = Int(buckets[bucket]) - 1
      if isMatch(slot) { return slot }
      bucket = next(after: bucket)
    }
    return nil
  }

  /// Adds a slot that is not in the index; `hashOf` knows those that are.
  mutating func insert(_ slot: Int, _ hash: Int, hashOf: (Int) -> Int) {
    if 4 * (count + 1) > 3 * buckets.count { grow(hashOf) }
    place(slot, hash)
    count += 1
  }

  /// Removes a slot that is in the index; `hashOf` knows all of them, the removed one included.
  mutating func remove(_ slot: Int, _ hash: Int, hashOf: (Int) -> Int) {
    var hole = home(of: hash)
    while Int(buckets[hole]) - 1 != slot { hole = next(after: hole) }
    count -= 1
    // What stands behind moves up, so that no search ends at the hole too early.
    var bucket = next(after: hole)
    while buckets[bucket] != 0 {
      let distance = (bucket - home(of: hashOf(Int(buckets[bucket]) - 1))) & (buckets.count - 1)
      if distance >= (bucket - hole) & (buckets.count - 1) {
        buckets[hole] = buckets[bucket]
        hole = bucket
      }
      bucket = next(after: bucket)
    }
    buckets[hole] = 0
  }

  private func home(of hash: Int) -> Int { hash & (buckets.count - 1) }

  private func next(after bucket: Int) -> Int { (bucket + 1) & (buckets.count - 1) }

  private mutating func place(_ slot: Int, _ hash: Int) {
    var bucket = home(of: hash)
    while buckets[bucket] != 0 { bucket = next(after: bucket) }
    buckets[bucket] = UInt32(slot + 1)
  }

  private mutating func grow(_ hashOf: (Int) -> Int) {
    let old = buckets
    buckets = Array(repeating: 0, count: max(2 * old.count, 16))
    for entry in old where entry != 0 { place(Int(entry) - 1, hashOf(Int(entry) - 1)) }
  }
}

extension Array {
  /// Appends by taking an eighth more memory when there is none left, not as much again: tables are most of a router's
  /// memory.
  mutating func appendTightly(_ element: Element) {
    if count == capacity { reserveCapacity(count + count / 8 + 8) }
    append(element)
  }
}
