public import Noise

/// Finds the session that a data message belongs to: receiver index → keypair and peer.
///
/// Open addressing with linear probing. We choose the indices and choose them at random, so their low bits are the hash.
/// Copies share memory until one of them is changed.
public struct ReceiverIndexTable: Sendable {
  /// A session and its peer.
  public struct Session: Sendable {
    /// The keys.
    public let keypair: Keypair
    /// Whose they are.
    public let peer: PeerID
  }

  /// An index with a bit above it that tells it from an empty place. Apart from the sessions, so that probing touches no
  /// reference.
  private var keys: [UInt64]
  private var sessions: [Session?]
  /// The number of sessions.
  public private(set) var count = 0

  /// An empty table.
  public init() {
    keys = Array(repeating: 0, count: 16)
    sessions = Array(repeating: nil, count: 16)
  }

  /// The session with this index.
  public subscript(index: ReceiverIndex) -> Session? {
    guard let place = place(of: index) else { return nil }
    return sessions[place]
  }

  /// Adds a session under its keypair's local index, in place of one that had the index.
  public mutating func insert(_ keypair: Keypair, of peer: PeerID) {
    if 2 * (count + 1) > keys.count { grow() }
    let key = Self.key(keypair.localIndex)
    var place = home(of: key)
    while keys[place] != 0, keys[place] != key { place = following(place) }
    if keys[place] == 0 { count += 1 }
    keys[place] = key
    sessions[place] = Session(keypair: keypair, peer: peer)
  }

  /// Removes the session with this index; whether there was one.
  @discardableResult
  public mutating func remove(_ index: ReceiverIndex) -> Bool {
    guard var hole = place(of: index) else { return false }
    count -= 1
    // Move back what was pushed past the hole, so that probing may stop at an empty place.
    var place = following(hole)
    while keys[place] != 0 {
      let home = home(of: keys[place])
      if (place - home) & (keys.count - 1) >= (place - hole) & (keys.count - 1) {
        keys[hole] = keys[place]
        sessions[hole] = sessions[place]
        hole = place
      }
      place = following(place)
    }
    keys[hole] = 0
    sessions[hole] = nil
    return true
  }

  private func place(of index: ReceiverIndex) -> Int? {
    let keys = keys.span
    let key = Self.key(index)
    var place = home(of: key)
    while keys[place] != key {
      guard keys[place] != 0 else { return nil }
      place = following(place)
    }
    return place
  }

  private mutating func grow() {
    let old = sessions
    keys = Array(repeating: 0, count: 2 * old.count)
    sessions = Array(repeating: nil, count: 2 * old.count)
    count = 0
    for case .some(let session) in old { insert(session.keypair, of: session.peer) }
  }

  private func home(of key: UInt64) -> Int {
    Int(truncatingIfNeeded: key) & (keys.count - 1)
  }

  private func following(_ place: Int) -> Int {
    (place + 1) & (keys.count - 1)
  }

  private static func key(_ index: ReceiverIndex) -> UInt64 {
    1 << 32 | UInt64(index.rawValue)
  }
}
