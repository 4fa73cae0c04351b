internal import Babel
internal import Net
internal import Noise

/// One configured peer: its machine, where it is, and what waits for it.
///
/// Owned by the node, on the control thread.
final class Peer {
  let id: PeerID
  let publicKey: PublicKey
  /// What a lane notes about the peer.
  let activity = PeerActivity()
  /// What follows from its key: the addresses it has if it is a meshd.
  let derived: DerivedAddresses

  /// What the configuration says.
  var configuration: Configuration.Peer
  /// Handshakes, sessions and timers.
  var tunnel: Tunnel
  /// Where it is.
  var paths = PeerPaths()
  /// The path that its last authenticated packet came by; probes do not count.
  var heard: Path?
  /// When its first packet came under a key that it asked for: where that comes from is where it wants to be.
  var keyConfirmed = Instant(nanoseconds: .min)
  /// Where the response to its initiation goes: where that came from.
  var responsePath: Path?
  /// The initiation of ours that is on its way.
  var race: HandshakeRace?
  /// When one was last sent on all paths.
  var lastRace = Instant.zero
  /// The time in which the path in use has to show that it lives; `nil` while nothing speaks against it.
  var suspicion: Suspicion?
  /// When the last suspicion ended.
  var suspicionEnd = Instant.zero
  /// Suspicions in which no path answered, since the path in use did so in time.
  var fruitlessSuspicions = 0
  /// When the traffic came whose end was the reason for one.
  var suspectedTraffic = Instant.zero
  /// When the last ICMP error about it was heeded.
  var lastError = Instant(nanoseconds: .min)
  /// The last changes of its path, the oldest first.
  var pathSwitches: [PathSwitch] = []
  /// When its paths are to be looked after, to the millisecond.
  var pathDeadline = Instant.distantFuture
  /// When they are to be looked after at the next look at all peers, since nothing is in a hurry.
  var pathReview = Instant.distantFuture
  /// Packets that wait for a session.
  var staged = StagedPackets()
  /// The part of the activity that the tunnel has been told of.
  var reported = ReportedActivity()
  /// Wall-clock nanoseconds of the last handshake.
  var lastHandshake: Int64?

  /// Whether Babel is spoken with the peer.
  var speaksBabel = false
  /// The newest of the Babel packets that it sealed.
  var lastControl: PacketOrder?
  /// Whether the speaker has been told that the link is up.
  var isLinkUp = false
  /// Whether Babel finds the link usable.
  var isNeighbourUp = false
  /// Its part in the choice of neighbours.
  var adjacency = Adjacency()
  /// The direct way to it while it is no neighbour.
  var shortcut = Shortcut()
  /// What is known of the peer as one that does not speak Babel itself.
  var client = Client()
  /// Handshakes that found no answer since the last one that did.
  ///
  /// The tunnel's own count starts over whenever a user sends, so it never gives up on a peer that many ask for.
  var unansweredHandshakes = 0

  /// The instants of `PeerActivity` that the tunnel knows.
  struct ReportedActivity {
    var dataSent = Instant.zero
    var dataReceived = Instant.zero
    var authenticatedSent = Instant.zero
    var authenticatedReceived = Instant.zero
  }

  init(id: PeerID, configuration: Configuration.Peer, tunnel: consuming Tunnel) {
    self.id = id
    self.configuration = configuration
    self.tunnel = tunnel
    publicKey = configuration.publicKey
    derived = DerivedAddresses(of: configuration.publicKey)
  }

  /// The link-local address it has if it is a meshd.
  var linkLocal: IPv6Address { derived.linkLocal }

  /// The peer as an owner of prefixes.
  var owner: PrefixOwner {
    PrefixOwner(
      routerIDs: [derived.interfaceIdentifier, derived.claimIdentifier].compactMap { RouterID($0) },
      neighbour: NeighbourID(id.rawValue))
  }

  /// Whether we announce prefixes for the peer.
  var isRepresented: Bool { !client.represented.isEmpty }

  /// Whether a session exists under which packets may be sent.
  func hasSession(at now: Instant) -> Bool {
    tunnel.keypairs.current?.isAlive(at: now) ?? false
  }

  /// Whether as many handshakes in a row as make a tunnel give up have found no answer.
  var isGone: Bool { unansweredHandshakes >= Limits.initiationAttempts }

  /// Whether data was sent a moment ago and nothing came back since.
  ///
  /// Once the tunnel had to begin a new handshake, haste is of no use any more.
  func hasUnansweredTraffic(at now: Instant) -> Bool {
    let sent = activity.lastDataSent
    guard sent > activity.lastAuthenticatedReceived else { return false }
    return now < sent.advanced(by: Limits.keepaliveTimeout + Limits.rekeyTimeout)
  }
}
