internal import Net

/// One way to a peer: its endpoint, our side of it where that matters, and what is known about it.
struct CandidatePath {
  /// Where a candidate comes from.
  enum Origin {
    /// The configuration, or the name in it; never given up.
    case configured
    /// An authenticated packet; bounded, and forgotten.
    case learned
  }

  /// Our end.
  struct LocalSide: Equatable {
    /// Our address.
    var address: IPAddress
    /// The index of our interface; 0 is any.
    var interface: UInt32
  }

  /// How long the kernel's refusal is believed: what it refuses now it may take in a moment.
  private static let failureTime = Duration.seconds(10)

  /// Its name among the peer's candidates.
  let id: UInt32
  /// The peer's endpoint.
  let remote: Endpoint
  /// The uplink it is bound to; `nil` leaves the choice to the kernel.
  let uplink: LocalSide?
  /// Where it comes from.
  var origin: Origin
  /// Our side, as packets came by it last: replies leave from there (whitepaper §6.5).
  var source: LocalSide?
  /// What probes and handshakes tell.
  var quality = PathQuality()
  /// The questions under way.
  var probing = PathProbing()
  /// The largest packet that it is known to carry whole.
  var mtu: PathMTU?
  /// When an authenticated packet came by it last.
  var lastHeard: Instant?
  /// When it came in use, if it is.
  var usedSince: Instant?
  /// When an initiation was last sent along it, and nothing came of that yet.
  var initiationSent: Instant?
  /// Since when it would have been the better choice.
  var betterSince: Instant?
  /// Whether this host has no address that packets along it could come from.
  var isSourceless = false
  /// Before, the kernel need not be asked again.
  private(set) var failedUntil = Instant(nanoseconds: .min)

  init(id: UInt32, remote: Endpoint, uplink: LocalSide? = nil, origin: Origin) {
    self.id = id
    self.remote = remote
    self.uplink = uplink
    self.origin = origin
  }

  /// The way for the next packet.
  var path: Path {
    let side = uplink ?? source
    return Path(remote: remote, local: side?.address, interface: side?.interface ?? 0)
  }

  /// Whether the kernel takes packets for it that may arrive, as far as is known.
  func isUsable(at now: Instant) -> Bool { !isSourceless && failedUntil <= now }

  /// Whether it answered the last time it was asked.
  func isAlive(at now: Instant) -> Bool {
    isUsable(at: now) && quality.roundTrip != nil && quality.unanswered == 0
  }

  /// The kernel takes no packet for it.
  mutating func fail(at now: Instant) {
    failedUntil = now.advanced(by: Self.failureTime)
    betterSince = nil
  }

  /// The network has changed: what was refused may work, and what worked may not.
  ///
  /// Our address stays until the kernel says that it is gone: peers that know no other would not take packets from there.
  mutating func forgetNetwork() {
    failedUntil = Instant(nanoseconds: .min)
    quality.forgetLosses()
    probing.excuseLate()
    probing.askSoon()
    mtu?.suspect()
  }
}
