public import Net
public import Noise

/// Why packets to and from an address fare as they do on this node at one moment.
public struct Explanation: Sendable {
  /// Where packets to the address go.
  public enum Target: Sendable, Equatable {
    /// Nowhere: no prefix holds the address.
    case none
    /// To this host or behind it.
    case local
    /// To a peer.
    case peer(PublicKey)
    /// Nowhere, though a prefix holds the address.
    case unreachable
  }

  /// What decided that.
  public enum Basis: String, Sendable {
    /// Nothing is known about the address.
    case unknown = "no prefix holds it"
    /// An address of ours, or a prefix we announce.
    case own = "it is this node's"
    /// Babel's choice.
    case selected = "Babel's selected route"
    /// `AllowedIPs`, and Babel has no say or says nothing.
    case owner = "AllowedIPs of the peer"
    /// It is the peer's own address, and the peer takes our packets for it directly.
    case shortcut = "a direct session with its owner"
    /// A lost prefix in its hold time.
    case held = "the prefix was lost and is held"
    /// Routes are known, and none may be used.
    case unusable = "no route to it is usable"
  }

  /// The hold of a lost prefix.
  public struct Hold: Sendable, Equatable {
    /// The peers that have not acknowledged the retraction.
    public var waiting: [PublicKey]
    /// How long it lasts at most.
    public var remaining: Duration
  }

  /// One peer's part.
  public struct Peer: Sendable, Equatable {
    /// The peer.
    public var publicKey: PublicKey
    /// Where its datagrams are sent.
    public var endpoint: Endpoint?
    /// Whether a session with it exists.
    public var hasSession: Bool
    /// Whether Babel is spoken with it.
    public var speaksBabel: Bool
    /// Whether it announces the prefix.
    public var isAnnouncing: Bool
    /// Whether its announcement of the prefix would be filtered out.
    public var isFiltered: Bool
    /// Why a packet from it with the address as source is dropped; `nil` if it is not.
    public var refusal: DropReason?
    /// The last changes of its endpoint, the newest first.
    public var pathSwitches: [PathSwitch] = []
  }

  /// The address asked about.
  public var address: IPAddress
  /// The longest prefix that holds it and says where packets from the source go.
  public var prefix: IPPrefix?
  /// Where packets must come from for that; `nil` is anywhere.
  public var source: IPPrefix?
  /// Where packets to it go.
  public var target: Target
  /// What decided that.
  public var basis: Basis
  /// The hold, if the prefix is held.
  public var hold: Hold?
  /// The routes of the prefix and the source.
  public var routes: [RouteRow]
  /// The peers, in the order configured.
  public var peers: [Peer]
  /// The last switches of the prefix, the newest first.
  public var switches: [SwitchRecord]
  /// The moment.
  public var time: Instant
}
