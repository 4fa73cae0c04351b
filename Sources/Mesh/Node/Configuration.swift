public import Babel
public import Net
public import Noise

/// What a node shall be: one interface and its peers, as a value.
///
/// A file, a UAPI `set` and a reload all end in one of these; `Node` compares it with what it has and changes only what
/// differs.
public struct Configuration: Sendable, Equatable {
  /// The interface's own part.
  public var interface = Interface()
  /// The peers, in the order they were configured.
  ///
  /// No public key appears twice.
  public var peers: [Peer] = []

  /// A node without key and peers.
  public init() {}
}

extension Configuration {
  /// How packets between two peers travel through this node.
  public enum Transit: String, Sendable, CaseIterable {
    /// Opened and sealed again in the process.
    case process
    /// Through the TUN device; the host's kernel forwards.
    case kernel
    /// Not at all.
    case off
  }

  /// Whose default route this host uses (`decisions.md` 16).
  public enum Exit: Sendable, Equatable {
    /// Nobody's: it is only carried for others.
    case none
    /// The best; if some peers' `AllowedIPs` list one, only theirs.
    case any
    /// That of the node with this key, be it a peer or not.
    case peer(PublicKey)
  }

  /// Which sources a peer that speaks Babel may send from, inside its `Accept` (`babel.md` §6.5).
  ///
  /// Whatever is chosen, sources that nobody may use and our own addresses are refused.
  public enum SourceCheck: String, Sendable, CaseIterable {
    /// Those whose longest prefix it owns or announces, whichever way packets to them go.
    case anchored
    /// Those inside any prefix that it owns or announces: for peers that summarise.
    ///
    /// Our own prefixes are exempt from that.
    case covering
    /// Those to which packets go by way of it.
    case strict
    /// All.
    case off
  }

  /// The `[Interface]` section.
  public struct Interface: Sendable, Equatable {
    /// Our static key; `nil` until one is set, and then the node is silent.
    public var privateKey: PrivateKey?
    /// The UDP port; 0 lets the kernel choose.
    public var listenPort: UInt16 = 0
    /// The mark on our own UDP packets; 0 is none.
    public var firewallMark: UInt32 = 0
    /// Whether this node speaks Babel with peers that do not say otherwise.
    public var babel = false
    /// How packets between two peers travel.
    public var transit = Transit.process
    /// How the sources of packets from peers that speak Babel are checked.
    public var sourceCheck = SourceCheck.anchored
    /// With how many meshd peers Babel is spoken at most by our choice; `nil` is all of them.
    ///
    /// Stock speakers do not count, nor do peers that have chosen us.
    public var adjacencies: Int? = 16
    /// Whether this host uses the default route that others announce.
    public var exit = Exit.none
    /// What this node announces to the mesh, besides its own addresses.
    ///
    /// No prefix appears twice with the same source.
    public var announce: [Announcement] = []
    /// Whose routes of the host's kernel it announces as well; `.kernel` are the prefixes of the host's interfaces.
    public var redistribute: [KernelProtocol] = []
    /// Rules for what peers announce, for what they are told, and for what is redistributed.
    public var filters: [FilterRule] = []
    /// On what announcements depend.
    public var checks: [Check] = []
    /// Where babeld's monitoring protocol is served.
    public var monitorSockets: [MonitorSocket] = []
    /// The host's side of the interface, used by `meshd up` only.
    public var host = HostSettings()

    /// An interface without key.
    public init() {}

    /// Whether both are the same.
    public static func == (lhs: Interface, rhs: Interface) -> Bool {
      lhs.privateKey?.publicKey == rhs.privateKey?.publicKey && lhs.listenPort == rhs.listenPort
        && lhs.firewallMark == rhs.firewallMark && lhs.babel == rhs.babel && lhs.transit == rhs.transit
        && lhs.exit == rhs.exit && lhs.sourceCheck == rhs.sourceCheck
        && lhs.adjacencies == rhs.adjacencies && lhs.announce == rhs.announce
        && lhs.redistribute == rhs.redistribute && lhs.filters == rhs.filters && lhs.checks == rhs.checks
        && lhs.monitorSockets == rhs.monitorSockets && lhs.host == rhs.host
    }
  }

  /// A socket that speaks babeld's monitoring protocol.
  public enum MonitorSocket: Sendable, Equatable {
    /// Beside the control socket.
    case standard
    /// An absolute path.
    case path(String)
    /// A TCP port at ::1.
    case port(UInt16)
  }

  /// What wg-quick does around the device: addresses, MTU, routes, hooks.
  public struct HostSettings: Sendable, Equatable {
    /// Where routes to peers go.
    public enum Table: Sendable, Equatable {
      /// The main table, with wg-quick's treatment of default routes.
      case auto
      /// Nowhere.
      case off
      /// The table with this number.
      case number(UInt32)
    }

    /// An address of the interface with its prefix length.
    public struct Address: Sendable, Equatable, Hashable {
      /// The address, host bits kept.
      public var address: IPAddress
      /// The length of the on-link prefix.
      public var prefixLength: UInt8

      /// Makes an interface address.
      public init(address: IPAddress, prefixLength: UInt8) {
        self.address = address
        self.prefixLength = prefixLength
      }
    }

    /// Addresses in the order of the file; the first of each family is the node's own.
    public var addresses: [Address] = []
    /// The MTU; `nil` is what fits into the interfaces that datagrams leave by.
    public var mtu: Int?
    /// Where routes go.
    public var table = Table.auto
    /// Shell commands before the interface is up, `%i` not yet replaced.
    public var preUp: [String] = []
    /// Shell commands after it.
    public var postUp: [String] = []
    /// Shell commands before it goes down.
    public var preDown: [String] = []
    /// Shell commands after it.
    public var postDown: [String] = []

    /// No address, default MTU, `Table = auto`, no hooks.
    public init() {}
  }

  /// An endpoint as written: numbers, or a name to be resolved.
  public enum EndpointSource: Sendable, Equatable, Hashable {
    /// A numeric endpoint.
    case address(Endpoint)
    /// A host name and a port.
    case name(String, port: UInt16)
  }

  /// A `[Peer]` section.
  public struct Peer: Sendable, Equatable {
    /// The peer's name in the protocol.
    public var publicKey: PublicKey
    /// The preshared key; `nil` is none.
    public var presharedKey: PresharedKey?
    /// What the peer owns, in the order configured: the first /128 and /32 are its own addresses.
    public var allowedIPs: [IPPrefix] = []
    /// Every endpoint configured, in order.
    ///
    /// Stock tools set one.
    public var endpoints: [EndpointSource] = []
    /// The endpoint that the operator wants in use as long as it works, whether or not it is among the others; `nil` leaves
    /// the choice to measurements.
    public var pinned: Endpoint?
    /// Seconds between persistent keepalives; 0 is off.
    public var persistentKeepalive: UInt16 = 0
    /// Whether the peer speaks Babel; `nil` follows the interface.
    public var babel: Bool?
    /// Keys that Babel packets to and from the peer are authenticated with (RFC 8967).
    ///
    /// WireGuard does that already; a stock speaker may insist. Several let keys change one side at a time.
    public var babelKeys: [AuthenticationKey] = []
    /// What the peer may announce and carry; `nil` is everything but martians and our own prefixes.
    public var accept: [IPPrefix]?
    /// How many prefixes the peer may announce; `nil` is the speaker's default.
    public var maxPrefixes: Int?
    /// Rules for this peer alone, before those of the interface; none is for redistribution.
    public var filters: [FilterRule] = []

    /// A peer that owns nothing.
    public init(publicKey: PublicKey) {
      self.publicKey = publicKey
    }

    /// Every endpoint, the pinned one last unless it is one of the others.
    public var allEndpoints: [EndpointSource] {
      guard let pinned, !endpoints.contains(.address(pinned)) else { return endpoints }
      return endpoints + [.address(pinned)]
    }

    /// The peer's own addresses: the first host prefix of each family (`decisions.md` 13).
    public var ownAddresses: [IPAddress] {
      AddressFamily.allCases.compactMap { family in
        allowedIPs.first { $0.isHost && $0.family == family }?.address
      }
    }
  }
}
