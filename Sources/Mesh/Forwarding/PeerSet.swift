/// A set of peers: one word for the first 64, a sorted list for the rest.
///
/// Nearly every node has fewer than 64 peers, and then the set is a number.
public struct PeerSet: Sendable, Hashable {
  /// How many peers the word holds.
  internal static let wordWidth: UInt32 = 64

  /// The peers with ids below 64, one bit each.
  internal private(set) var word: UInt64 = 0
  /// The other peers, in order.
  internal private(set) var others: [PeerID] = []

  /// The empty set.
  public init() {}

  /// The set of these peers.
  public init(_ peers: some Sequence<PeerID>) {
    for peer in peers { insert(peer) }
  }

  /// Whether nobody is in the set.
  public var isEmpty: Bool { word == 0 && others.isEmpty }

  /// The number of peers.
  public var count: Int { word.nonzeroBitCount + others.count }

  /// The peers in order.
  public var peers: [PeerID] {
    (0..<Self.wordWidth).filter { word >> $0 & 1 != 0 }.map { PeerID(rawValue: $0) } + others
  }

  /// Whether `peer` is in the set.
  public func contains(_ peer: PeerID) -> Bool {
    guard peer.rawValue >= Self.wordWidth else { return word >> peer.rawValue & 1 != 0 }
    let position = position(of: peer)
    return position < others.count && others[position] == peer
  }

  /// Adds `peer`.
  public mutating func insert(_ peer: PeerID) {
    guard peer.rawValue >= Self.wordWidth else {
      word |= 1 << peer.rawValue
      return
    }
    let position = position(of: peer)
    guard position == others.count || others[position] != peer else { return }
    others.insert(peer, at: position)
  }

  /// Takes `peer` out.
  public mutating func remove(_ peer: PeerID) {
    guard peer.rawValue >= Self.wordWidth else {
      word &= ~(1 << peer.rawValue)
      return
    }
    let position = position(of: peer)
    guard position < others.count, others[position] == peer else { return }
    others.remove(at: position)
  }

  /// Adds every peer of `other`.
  public mutating func formUnion(_ other: PeerSet) {
    word |= other.word
    for peer in other.others { insert(peer) }
  }

  /// Whether `other` holds every peer of this set.
  public func isSubset(of other: PeerSet) -> Bool {
    word & ~other.word == 0 && others.allSatisfy { other.contains($0) }
  }

  /// Where `peer` is in the list, or would be.
  private func position(of peer: PeerID) -> Int {
    var low = 0
    var high = others.count
    while low < high {
      let middle = (low + high) / 2
      if others[middle] < peer { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension PeerSet: ExpressibleByArrayLiteral {
  /// The set of these peers.
  public init(arrayLiteral elements: PeerID...) {
    self.init(elements)
  }
}
