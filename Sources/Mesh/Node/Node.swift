internal import Babel
internal import DequeModule
public import Net
public import Noise

/// The root machine of a node: configuration, sessions and routes in; tables and datagrams out.
///
/// Control thread only.
///
/// A turn is any number of `handle` and `advance` calls, then `poll` until it returns `nil`. The table of a turn comes out
/// before its datagrams, so that no message leaves whose answer the lanes could not read, and no route is announced that
/// they could not forward.
public struct Node<Random: RandomNumberGenerator>: ~Copyable {
  /// What happens to a node.
  public enum Input {
    /// The configuration it shall have.
    case configure(Configuration)
    /// A lane's message.
    case event(DataPlaneEvent)
    /// An `Output.open` was carried out.
    case opened(Opening.Result)
    /// The addresses of an endpoint given by name.
    case resolved(Configuration.EndpointSource, [Endpoint])
    /// The user sent the peer's traffic to this endpoint, whatever was learned.
    case move(PublicKey, to: Endpoint)
    /// The MTU of the TUN device.
    case mtu(Int)
    /// The addresses of the TUN device, whoever gave them to it; link-local ones left out.
    case addresses([IPAddress])
    /// What is announced of the host's own routes.
    case redistributed([Configuration.Announcement])
    /// The prefixes of which every check finds an answer; others with a check are not announced.
    case healthy(Set<IPPrefix>)
    /// The TUN device is up or down (1.2.16).
    case link(isUp: Bool)
    /// Our side of this path to the peer is no longer valid (1.2.28).
    case staleSource(PeerID, Path)
    /// The kernel takes no datagram for the peer along this path.
    case unreachable(PeerID, Path)
    /// A datagram to this endpoint did not arrive, or so somebody says.
    case icmp(Endpoint, PathError)
    /// An interface of the host other than ours went down, or carries nothing any more.
    case interfaceDown(UInt32)
    /// Where packets may leave the host, those first of each family that the kernel would choose, and the largest MTU of a
    /// running interface. Without an IPv6 address the kernel sends from a link-local one, which no router passes on
    /// (RFC 4291 §2.5.6).
    case uplinks([Uplink], maximumMTU: Int, hasIPv6: Bool)
    /// Links, addresses or routes of the host other than ours have changed: peers may be out of reach, or in reach again.
    case networkChanged
    /// The node is about to end: routes are retracted.
    case shutdown
  }

  /// What a node wants done, in order.
  public enum Output {
    /// The lanes shall use this table from now on.
    case publish(ForwardingTable)
    /// To be run, by whatever thread has time, and answered with `Input.opened`.
    case open(Opening)
    /// A handshake message, to be sent as it is with DSCP AF41; that it cannot be sent is news about the peer it is for.
    case datagram([UInt8], Path, to: PeerID?)
    /// A packet to be sealed for the peer under the table published last, and sent.
    ///
    /// An empty one is a keepalive.
    case seal([UInt8], PeerID)
    /// A routing message, to be sealed like any packet, with the octets of that moment.
    case speak(BabelPacket, PeerID)
    /// A packet to be sealed for the peer and sent along this path, from its local address or not at all.
    ///
    /// Unless it may be fragmented, it is sent whole or not at all: what is longer than the MTU of the interface comes back
    /// as `Input.icmp` with that MTU, or with 0 if it cannot be told.
    case probe([UInt8], PeerID, Path, mayFragment: Bool)
    /// From now on the host shall send packets to the prefixes `added` into the TUN device, and to those `removed` no
    /// longer; for some of either it may be so already.
    case hostPrefixesChanged(added: [HostPrefix], removed: [HostPrefix])
    /// These are the addresses to which our own UDP packets go, in ascending order: they must not enter the TUN device.
    case underlayChanged([IPAddress])
    /// To be written to disk, before anything that follows is sent.
    case persist(PersistentState)
    /// A row of the tables that operators see has changed, while somebody observes.
    case change(TableChange)
    /// Something for the log.
    case event(NodeEvent)
  }

  /// The sampling period of peers with traffic.
  static var urgentSampling: Duration { .milliseconds(20) }
  /// The sampling period of all others.
  static var calmSampling: Duration { .milliseconds(250) }

  var random: Random
  /// Wall-clock nanoseconds at `Instant.zero`.
  let epoch: Int64

  var configuration = Configuration()
  var isLinkUp = true
  var mtu = 1420
  var identity: Identity?
  var gate: HandshakeGate?
  /// A handshake costs about an eighth of a millisecond: above this rate they leave no time for anything else.
  var load = LoadMeter(perSecond: 8_000, burst: 512)
  /// How many initiations are being opened.
  var openings = 0
  /// The receiver indices and timestamps that all tunnels share.
  var device: Device
  var state: PersistentState

  /// By id; `nil` where a peer was removed.
  var peers: [Peer?] = []
  var ids: [PublicKey: PeerID] = [:]
  var ownersByLinkLocal: [IPv6Address: PeerID] = [:]

  var speaker: Speaker?
  /// Who lists a prefix in `AllowedIPs`, in the order of the configuration.
  var owners: [IPPrefix: [PeerID]] = [:]
  /// Our own addresses and what we announce.
  var localPrefixes: Set<IPPrefix> = []
  /// Those of them that Babel announces, with their metrics.
  var announcedPrefixes: [RouteKey: Metric] = [:]
  /// What is announced of the host's own routes.
  var redistributed: [Configuration.Announcement] = []
  /// The prefixes whose checks find an answer.
  var healthyPrefixes: Set<IPPrefix> = []
  /// The addresses the interface has, link-local ones left out.
  var hostAddresses: [IPAddress] = []

  /// Where packets may leave the host.
  public internal(set) var uplinks: [Uplink] = []
  /// Whether packets over IPv6 have an address to leave from.
  var hasIPv6 = true
  /// The largest MTU of a running interface of the host; 0 where it has none.
  public internal(set) var maximumMTU = 0

  /// Every endpoint that is a name without an address, once each, as the last configuration or answer left them.
  public internal(set) var unresolvedNames: [Configuration.EndpointSource] = []

  /// When neighbours are chosen anew.
  var adjacencyPlan = Instant.zero

  /// The last changes of where packets go.
  var switches = SwitchHistory()
  /// The keys of the peers that left in this turn, for what Babel has still to say about them.
  var departed: [PeerID: PublicKey] = [:]
  /// What observers know; `nil` while there are none.
  var told: ToldTables?

  var draft = ForwardingTable.Draft()
  var isTableDirty = true
  /// The default routes that the host uses, as it was last told.
  var usedDefaults: Set<HostPrefix> = []
  /// Prefixes whose use by the host may have changed since it was last told.
  var changedHostPrefixes: [HostPrefix] = []
  /// The addresses of all endpoints, as they were last told.
  var underlay: Set<IPAddress> = []
  var isUnderlayDirty = false
  /// Packets to peers that are about to go from the table.
  var farewells: Deque<Output> = []
  /// What the speaker said when a farewell was asked for.
  var postponed: Deque<Speaker.Output> = []
  var outbox: Deque<Output> = []
  var calmSample = Instant.zero
  var urgentSample = Instant.distantFuture
  /// The peers that are looked at more often than all.
  var busyPeers: [PeerID] = []
  /// No tunnel has anything to do before: a turn must not ask every peer.
  var tunnelDeadline = Instant.distantFuture
  /// No peer's paths have to be looked after before.
  var pathDeadline = Instant.distantFuture
  var now = Instant.zero

  /// Makes a node without configuration.
  ///
  /// - Parameters:
  ///   - state: What an earlier life has left, if anything.
  ///   - epoch: Wall-clock nanoseconds since 1970 at `Instant.zero`.
  ///   - random: For keys, indices and jitter; a secure one outside of tests.
  public init(state: PersistentState?, epoch: Int64, random: Random) {
    self.random = random
    self.epoch = epoch
    let wall = Timestamp(sinceUnixEpoch: .nanoseconds(epoch))
    device = Device(timestamps: TimestampClock(epoch: wall, highWaterMark: state?.highWaterMark))
    self.state = state ?? PersistentState(seqno: 0, highWaterMark: device.timestamps.highWaterMark)
  }

  /// Takes one input.
  public mutating func handle(_ input: Input, at now: Instant) {
    self.now = now
    switch input {
    case .configure(let configuration): configure(configuration)
    case .event(let event): handle(event)
    case .opened(let result): handleOpened(result)
    case .resolved(let source, let addresses): resolve(source, to: addresses)
    case .move(let key, let endpoint): move(key, to: endpoint)
    case .mtu(let mtu): setMTU(mtu)
    case .addresses(let addresses): setHostAddresses(addresses)
    case .redistributed(let announcements): setRedistributed(announcements)
    case .healthy(let prefixes): setHealthy(prefixes)
    case .link(let isUp): setLink(isUp: isUp)
    case .staleSource(let id, let path): forgetSource(of: id, along: path)
    case .unreachable(let id, let path): failPath(path, of: id)
    case .icmp(let endpoint, let error): heed(error, about: endpoint)
    case .uplinks(let uplinks, let maximumMTU, let hasIPv6):
      setUplinks(uplinks, maximumMTU: maximumMTU, hasIPv6: hasIPv6)
    case .networkChanged: networkChanged()
    case .interfaceDown(let index): loseInterface(index)
    case .shutdown: speaker?.shutdown(at: now)
    }
    drainSpeaker()
    tellObservers()
  }

  /// Does what is due.
  public mutating func advance(to now: Instant) {
    self.now = now
    sampleActivity()
    if isLinkUp, tunnelDeadline <= now { advanceTunnels() }
    if isLinkUp, pathDeadline <= now { advancePaths() }
    speaker?.advance(to: now)
    drainSpeaker()
    tellObservers()
  }

  /// The next thing to do; `nil` at the end of the turn.
  public mutating func poll() -> Output? {
    if let farewell = farewells.popFirst() { return farewell }
    if isTableDirty {
      isTableDirty = false
      return .publish(draft.freeze())
    }
    if let addresses = takeUnderlay() { return .underlayChanged(addresses) }
    if let change = takeHostChange() {
      return .hostPrefixesChanged(added: change.added, removed: change.removed)
    }
    return outbox.popFirst()
  }

  /// When `advance` is to be called at the latest.
  public var nextDeadline: Instant {
    // Tunnels of a device that is down rest, whatever they are told meanwhile.
    let tunnels = isLinkUp ? min(tunnelDeadline, pathDeadline) : .distantFuture
    return min(calmSample, urgentSample, tunnels, speaker?.nextDeadline ?? .distantFuture)
  }

  func peer(_ key: PublicKey) -> Peer? {
    ids[key].flatMap { peers[Int($0.rawValue)] }
  }

  func peer(_ id: PeerID) -> Peer? {
    Int(id.rawValue) < peers.count ? peers[Int(id.rawValue)] : nil
  }
}
