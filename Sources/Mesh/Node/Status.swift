public import Net
public import Noise

/// What `wg show`, `meshd show` and a UAPI `get` print: a copy of the node's state at one moment.
public struct Status: Sendable {
  /// The name of the interface.
  public var interfaceName = ""
  /// Our static key; a UAPI `get` returns it.
  public var privateKey: PrivateKey?
  /// The port in use.
  public var listenPort: UInt16 = 0
  /// The mark in use; 0 is none.
  public var firewallMark: UInt32 = 0
  /// The MTU of the TUN device.
  public var mtu = 1420
  /// Whether the interface speaks Babel.
  public var babel = false
  /// Our Babel router-id, as printed; empty without Babel.
  public var routerID = ""
  /// Our link-local address.
  public var linkLocal: IPv6Address?
  /// The peers, in the order configured.
  public var peers: [Peer] = []
  /// The health checks, in the order configured.
  public var checks: [Check] = []
  /// Packets and Babel updates dropped since start, by reason, reasons in declaration order, zero counts left out.
  public var drops: [(reason: String, count: UInt64)] = []
  /// Prefixes that lead to peers and that this host does not use, with the reason.
  public var unused: [(prefix: HostPrefix, reason: String)] = []
  /// The lanes in each direction; 0 where the daemon does not say.
  public var lanes = 0
  /// What the kernel may do for the daemon, grouped by place; empty where the daemon does not say.
  public var offloads: [Offload] = []

  /// An empty status.
  public init() {}

  /// A kind of work on packets that the kernel takes over where it can.
  public struct Offload: Sendable, Equatable {
    /// Where: `tun`, or the socket of `ipv4` or `ipv6`.
    public var place: String
    /// What, as ethtool and `udp(7)` say: `csum`, `tso4`, `gso`.
    public var name: String
    /// Whether the kernel does it; if not, the daemon does without.
    public var isInUse: Bool

    /// Names an offload.
    public init(place: String, name: String, isInUse: Bool) {
      self.place = place
      self.name = name
      self.isInUse = isInUse
    }
  }

  /// The offloads of each place.
  var offloadsByPlace: [(place: String, offloads: [Offload])] {
    var places: [(place: String, offloads: [Offload])] = []
    for offload in offloads {
      if places.last?.place != offload.place { places.append((offload.place, [])) }
      places[places.count - 1].offloads.append(offload)
    }
    return places
  }

  /// One peer.
  public struct Peer: Sendable {
    /// Its key.
    public var publicKey: PublicKey
    /// Its preshared key.
    public var presharedKey: PresharedKey?
    /// The endpoint in use.
    public var endpoint: Endpoint?
    /// Every configured endpoint.
    public var configuredEndpoints: [Configuration.EndpointSource] = []
    /// Every way to it that is known: the configured ones in their order, then those learned.
    public var paths: [Path] = []
    /// Where traffic for these prefixes goes to this peer at this moment.
    public var allowedIPs: [IPPrefix] = []
    /// Wall-clock time of the last completed handshake, nanoseconds since 1970; `nil` if there was none.
    public var lastHandshake: Int64?
    /// Octets of authenticated datagrams received.
    public var receivedBytes: UInt64 = 0
    /// Octets of datagrams sent.
    public var sentBytes: UInt64 = 0
    /// Seconds; 0 is off.
    public var persistentKeepalive: UInt16 = 0
    /// The Babel neighbour behind the peer; `nil` without Babel.
    public var neighbour: Neighbour?

    /// A peer without traffic.
    public init(publicKey: PublicKey) {
      self.publicKey = publicKey
    }
  }

  /// A peer as a Babel neighbour, in babeld's words.
  public struct Neighbour: Sendable {
    /// Its link-local address, once known.
    public var address: IPv6Address?
    /// The last 16 Hellos, newest in the highest bit.
    public var reach: UInt16 = 0
    /// The cost it is told.
    public var rxcost: UInt16 = 0
    /// The cost it tells us.
    public var txcost: UInt16 = 0
    /// The cost of the link; 65535 is unusable.
    public var cost: UInt16 = 0
    /// The smoothed round-trip time, once measured.
    public var roundTrip: Duration?
    /// How many prefixes it announces.
    public var prefixes = 0
    /// How many it may announce.
    public var prefixLimit = 0
    /// Updates of its that were not used, by reason, zero counts left out.
    public var refusals: [(reason: String, count: UInt64)] = []

    /// A neighbour not heard of.
    public init() {}
  }

  /// A health check.
  public struct Check: Sendable, Equatable {
    /// The prefix that depends on it.
    public var prefix: IPPrefix
    /// What is asked, in the words of the configuration.
    public var question: String
    /// What the answers so far mean.
    public var state: HealthCheck.State
    /// How many results in a row speak against the state.
    public var streak: Int
    /// Why the last question failed; `nil` if it did not.
    public var reason: String?

    /// Makes the status of a check.
    public init(
      prefix: IPPrefix, question: String, state: HealthCheck.State, streak: Int, reason: String? = nil
    ) {
      self.prefix = prefix
      self.question = question
      self.state = state
      self.streak = streak
      self.reason = reason
    }
  }
}
