internal import Net

/// The route table: a row for each prefix (RFC 8966 §3.2.6).
///
/// Rows have slots that stay where they are as long as the prefix is known, so that other tables can refer to them and
/// no look-up or removal costs more with a larger table. Slots are visited in ascending order, which depends on the
/// history of inputs only.
struct RouteTable: Sendable {
  /// The place of a row.
  typealias Slot = Int

  private var slots: [Destination?] = []
  private var free: [Slot] = []
  // Only looked up, never iterated.
  private var index: [RouteKey: Slot] = [:]

  /// One more than the highest slot.
  var endSlot: Slot { slots.count }

  /// The number of rows.
  var count: Int { index.count }

  /// The slot of `key`, if it is known.
  func slot(_ key: RouteKey) -> Slot? { index[key] }

  /// The slot of `key`, made if there is none.
  mutating func slotOrInsert(_ key: RouteKey) -> Slot {
    if let slot = index[key] { return slot }
    let slot: Slot
    if let reused = free.popLast() {
      slot = reused
      slots[slot] = Destination(key: key)
    } else {
      slot = slots.count
      slots.append(Destination(key: key))
    }
    index[key] = slot
    return slot
  }

  /// Whether `slot` holds a row.
  func contains(_ slot: Slot) -> Bool { slots.indices.contains(slot) && slots[slot] != nil }

  /// The row in `slot`, which must hold one.
  subscript(slot: Slot) -> Destination {
    _read {
      guard let row = slots[slot] else { preconditionFailure("no destination in slot \(slot)") }
      yield row
    }
    _modify {
      guard var row = slots[slot].take() else { preconditionFailure("no destination in slot \(slot)") }
      defer { slots[slot] = row }
      yield &row
    }
  }

  /// Removes the row in `slot`.
  mutating func remove(_ slot: Slot) {
    guard let row = slots[slot].take() else { return }
    index[row.key] = nil
    free.append(slot)
  }

  /// The rows in slot order.
  var rows: some Sequence<Destination> { slots.lazy.compactMap { $0 } }
}
