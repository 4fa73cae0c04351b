internal import Net

/// What one end of a link has told the other, or has been told, as marks of the routes' last values.
///
/// Kept by slot of the route table, since most of it is there; the rest, such as what we were told and may not use, by
/// key. Four octets per route.
struct Ledger: Sendable {
  /// The highest bit of an entry: it was noted since `beginRound`.
  private static let isNew: UInt32 = 1 << 31

  private var entries: [UInt32] = []
  // Only looked up; sorted where its order reaches anything.
  private var strays: [RouteKey: UInt32] = [:]
  private let strayLimit: Int
  /// Whether everything is in it: it has a bound.
  private(set) var isComplete = true
  /// All in one number.
  private(set) var digest = SyncDigest()

  /// Makes a ledger with at most `strayLimit` keys that are not in the route table.
  init(strayLimit: Int) {
    self.strayLimit = strayLimit
  }

  /// The mark of the row in `slot`.
  func mark(_ slot: RouteTable.Slot) -> UInt32 {
    slot < entries.count ? entries[slot] & ~Self.isNew : 0
  }

  /// Notes what is said about a key, which is in the route table if it has a slot there.
  mutating func note(_ mark: RouteMark, _ key: RouteKey, _ slot: RouteTable.Slot?) {
    guard let slot else {
      let old = strays[key] ?? 0
      if mark == .none {
        strays[key] = nil
      } else if old != 0 || strays.count < strayLimit {
        strays[key] = mark.rawValue | Self.isNew
      } else {
        isComplete = false
        return
      }
      count(old, mark)
      return
    }
    if slot >= entries.count {
      guard mark != .none else { return }
      entries.append(contentsOf: repeatElement(0, count: slot + 1 - entries.count))
    }
    count(entries[slot], mark)
    entries[slot] = mark == .none ? 0 : mark.rawValue | Self.isNew
  }

  private mutating func count(_ old: UInt32, _ new: RouteMark) {
    if old != 0 {
      digest.hash &-= UInt64(old & ~Self.isNew)
      digest.count &-= 1
    }
    guard new != .none else { return }
    digest.hash &+= UInt64(new.rawValue)
    digest.count &+= 1
  }

  /// The key has got a row in the route table.
  mutating func enter(_ key: RouteKey, _ slot: RouteTable.Slot) {
    guard !strays.isEmpty, let entry = strays.removeValue(forKey: key) else { return }
    if slot >= entries.count {
      entries.append(contentsOf: repeatElement(0, count: slot + 1 - entries.count))
    }
    entries[slot] = entry
  }

  /// The key's row leaves the route table.
  mutating func leave(_ key: RouteKey, _ slot: RouteTable.Slot) {
    guard slot < entries.count, entries[slot] != 0 else { return }
    strays[key] = entries[slot]
    entries[slot] = 0
  }

  /// Forgets everything.
  mutating func removeAll() {
    self = Ledger(strayLimit: strayLimit)
  }

  /// Tells what is noted from now on from what was noted before.
  mutating func beginRound() {
    for slot in entries.indices { entries[slot] &= ~Self.isNew }
    strays = strays.mapValues { $0 & ~Self.isNew }
  }

  /// Rows that were not noted in this round.
  var missedSlots: [RouteTable.Slot] {
    entries.indices.filter { entries[$0] != 0 && entries[$0] & Self.isNew == 0 }
  }

  /// Keys without row that were not noted in this round, in ascending order.
  var missedStrays: [RouteKey] {
    strays.filter { $0.value & Self.isNew == 0 }.keys.sorted()
  }
}
