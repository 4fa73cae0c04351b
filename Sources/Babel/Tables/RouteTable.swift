internal import Net

/// The route table: a row for each prefix (RFC 8966 §3.2.6).
///
/// Rows have slots that stay where they are as long as the prefix is known, so that other tables can refer to them and
/// no look-up or removal costs more with a larger table. Slots are visited in ascending order, which depends on the
/// history of inputs only.
struct RouteTable: Sendable {
  /// The place of a row.
  typealias Slot = Int

  private var slots: [Destination] = []
  private var free: [UInt32] = []
  private var index = SlotIndex()

  /// One more than the highest slot.
  var endSlot: Slot { slots.count }

  /// The number of rows.
  var count: Int { index.count }

  /// The slot of `key`, if it is known.
  func slot(_ key: RouteKey) -> Slot? {
    index.slot(key.hashValue) { slots[$0].names(key) }
  }

  /// The slot of `key`, made if there is none; found at once if it is still `expected`.
  mutating func slotOrInsert(_ key: RouteKey, expected: Slot? = nil) -> Slot {
    if let expected, slots[expected].names(key) { return expected }
    let hash = key.hashValue
    if let slot = index.slot(hash, where: { slots[$0].names(key) }) { return slot }
    let slot: Slot
    if let reused = free.popLast() {
      slot = Slot(reused)
      slots[slot] = Destination(key: key)
    } else {
      slot = slots.count
      slots.appendTightly(Destination(key: key))
    }
    index.insert(slot, hash) { slots[$0].key.hashValue }
    return slot
  }

  /// Whether `slot` holds a row.
  func contains(_ slot: Slot) -> Bool { slots.indices.contains(slot) && !slots[slot].isRemoved }

  /// The row in `slot`, which must hold one.
  subscript(slot: Slot) -> Destination {
    _read { yield slots[slot] }
    _modify { yield &slots[slot] }
  }

  /// Removes the row in `slot`.
  mutating func remove(_ slot: Slot) {
    guard contains(slot) else { return }
    index.remove(slot, slots[slot].key.hashValue) { slots[$0].key.hashValue }
    slots[slot] = .removed
    free.append(UInt32(slot))
  }

  /// The rows in slot order.
  var rows: some Sequence<Destination> { slots.lazy.filter { !$0.isRemoved } }
}
