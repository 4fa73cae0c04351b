public import Noise

/// Finds whose session a data message belongs to: receiver index → peer.
///
/// Open addressing with linear probing. We choose the indices and choose them at random, so their low bits are the hash.
/// Copies share memory until one of them is changed; there is no reference in it, so a change with thousands of sessions
/// is a copy of plain memory.
public struct ReceiverIndexTable: Sendable {
  /// The index below, one more than the peer above; zero where nothing is.
  private var places: [UInt64]
  /// The number of sessions.
  public private(set) var count = 0

  /// An empty table.
  public init() {
    places = Array(repeating: 0, count: 16)
  }

  /// The peer whose session has this index.
  public subscript(index: ReceiverIndex) -> PeerID? {
    guard let place = place(of: index) else { return nil }
    return PeerID(rawValue: UInt32(places.span[place] >> 32) - 1)
  }

  /// Adds a session, in place of one that had the index.
  public mutating func insert(_ index: ReceiverIndex, of peer: PeerID) {
    if 2 * (count + 1) > places.count { grow() }
    if place(of: index) == nil { count += 1 }
    put((UInt64(peer.rawValue) + 1) << 32 | UInt64(index.rawValue))
  }

  /// Removes the session with this index; whether there was one.
  @discardableResult
  public mutating func remove(_ index: ReceiverIndex) -> Bool {
    guard var hole = place(of: index) else { return false }
    count -= 1
    // Move back what was pushed past the hole, so that probing may stop at an empty place.
    var place = following(hole)
    while places[place] != 0 {
      let home = home(of: places[place])
      if (place - home) & (places.count - 1) >= (place - hole) & (places.count - 1) {
        places[hole] = places[place]
        hole = place
      }
      place = following(place)
    }
    places[hole] = 0
    return true
  }

  private func place(of index: ReceiverIndex) -> Int? {
    let places = places.span
    var place = home(of: UInt64(index.rawValue))
    while places[place] != 0 {
      if UInt32(truncatingIfNeeded: places[place]) == index.rawValue { return place }
      place = following(place)
    }
    return nil
  }

  private mutating func put(_ entry: UInt64) {
    let index = UInt32(truncatingIfNeeded: entry)
    var place = home(of: entry)
    while places[place] != 0, UInt32(truncatingIfNeeded: places[place]) != index { place = following(place) }
    places[place] = entry
  }

  private mutating func grow() {
    let old = places
    places = Array(repeating: 0, count: 2 * old.count)
    for entry in old where entry != 0 { put(entry) }
  }

  private func home(of entry: UInt64) -> Int {
    Int(truncatingIfNeeded: entry) & (places.count - 1)
  }

  private func following(_ place: Int) -> Int {
    (place + 1) & (places.count - 1)
  }
}
