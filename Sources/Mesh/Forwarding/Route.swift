/// What the table knows about one prefix, or about packets to it from some sources: where packets to it go, and which
/// peers packets from it may come from.
public struct Route: Sendable, Equatable {
  /// Where packets to a destination go.
  @frozen
  public enum Target: Sendable, Hashable, BitwiseCopyable {
    /// Nowhere: no route is known.
    case none
    /// To this host or behind it: the TUN device.
    case local
    /// To a peer.
    case peer(PeerID)
    /// Nowhere, and no shorter prefix may be tried: a retracted prefix in its hold time (RFC 8966 §2.8).
    case unreachable
  }

  /// Where packets go.
  public var target: Target
  /// The peers whose `AllowedIPs` list the prefix; they may also be its source.
  public var owners: PeerSet
  /// The peers that announce the prefix or did so a moment ago: packets from it may come from them.
  public var sources: PeerSet

  /// Makes a route.
  public init(_ target: Target, owners: PeerSet = [], sources: PeerSet = []) {
    self.target = target
    self.owners = owners
    self.sources = sources
  }

  /// The route of WireGuard's own cryptokey routing: one peer, both ways.
  public init(owner: PeerID) {
    self.init(.peer(owner), owners: [owner])
  }

  /// Whether the route says nothing at all.
  public var isEmpty: Bool { target == .none && owners.isEmpty && sources.isEmpty }
}

extension Route.Target {
  /// The target as the number that a trie node stores in 23 bits; `Stored.branch` is not among them.
  internal var stored: UInt32 {
    switch self {
    case .none: Stored.none
    case .local: Stored.local
    case .unreachable: Stored.unreachable
    case .peer(let peer): peer.rawValue
    }
  }

  internal init(stored: UInt32) {
    switch stored {
    case Stored.branch, Stored.none: self = .none
    case Stored.local: self = .local
    case Stored.unreachable: self = .unreachable
    default: self = .peer(PeerID(rawValue: stored))
    }
  }

  /// Numbers that no peer has: peers are fewer than 2^20.
  ///
  /// What packets do not follow comes last, so that a look-up leaves it out with one comparison.
  internal enum Stored {
    static let branch: UInt32 = 1 << 23 - 1
    static let none: UInt32 = branch - 1
    static let local: UInt32 = branch - 2
    static let unreachable: UInt32 = branch - 3
  }
}
