internal import Babel
internal import Net
internal import Noise

// Which of its paths a peer's packets take. A peer that is no meshd is followed to wherever its packets come from, as in
// any WireGuard. A meshd chooses for its direction as we do for ours, so what it sends by a path that we know says no more
// than that we had better look at ours.
extension Node {
  /// Switches of one peer that are remembered.
  private static var switchLimit: Int { 8 }
  /// ICMP errors about a peer are heeded this often: anybody can forge them.
  private static var errorInterval: Duration { .seconds(1) }

  /// How long after the news of a confirmed key the news may come by which path that was.
  private static var confirmationTime: Duration { .milliseconds(50) }

  // MARK: Where packets come from

  /// An authenticated packet that is no probe came along `path`.
  mutating func observe(_ path: Path, of peer: Peer) {
    let (place, isNew) = peer.paths.observe(path, at: now)
    let isFirst = now < peer.keyConfirmed.advanced(by: Self.confirmationTime)
    peer.heard = path
    if place == peer.paths.index {
      refreshEntry(of: peer)
    } else if isFirst || isNew || !prefersItsPath(peer) {
      use(place, of: peer, because: .roamed)
    } else {
      refreshEntry(of: peer)
      suspect(peer, because: .roamed)
    }
  }

  /// Whether we know better than the peer which path to send along: ours answers, or is to be used in any case.
  private func prefersItsPath(_ peer: Peer) -> Bool {
    guard isProbed(peer), let index = peer.paths.index else { return false }
    return peer.paths.candidates[index].isAlive(at: now)
  }

  /// Sends to the peer along this path from now on.
  mutating func use(_ place: Int, of peer: Peer, because reason: PathSwitch.Reason) {
    defer { refreshEntry(of: peer) }
    guard let change = peer.paths.use(place, at: now) else { return }
    isUnderlayDirty = true
    peer.suspicion = nil
    peer.suspicionEnd = now
    peer.fruitlessSuspicions = 0
    remember(change, of: peer, because: reason)
    let candidate = peer.paths.candidates[place]
    speaker?.rerouted(NeighbourID(peer.id.rawValue), roundTrip: candidate.quality.roundTrip, at: now)
    // The peer learns it from the next packet: if there is none, from this one.
    if reason != .roamed, peer.hasSession(at: now) { outbox.append(.seal([], peer.id)) }
  }

  private mutating func remember(
    _ change: (former: Endpoint?, current: Endpoint), of peer: Peer, because reason: PathSwitch.Reason
  ) {
    if peer.pathSwitches.count >= Self.switchLimit { peer.pathSwitches.removeFirst() }
    peer.pathSwitches.append(
      PathSwitch(time: now, former: change.former, current: change.current, reason: reason))
    guard let former = change.former, former != change.current else { return }
    outbox.append(.event(.endpointChanged(peer.publicKey, change.current, because: reason)))
  }

  // MARK: What the operator says

  /// Takes the endpoints that the configuration gives the peer.
  mutating func configurePaths(of peer: Peer, _ settings: Configuration.Peer) {
    changePaths(of: peer, because: settings.pinned == nil ? .configuration : .command) {
      $0.configure(settings.endpoints, pinned: settings.pinned)
    }
  }

  /// Changes the candidates, which may change the one in use.
  private mutating func changePaths(
    of peer: Peer, because reason: PathSwitch.Reason, _ change: (inout PeerPaths) -> Void
  ) {
    let (id, former) = (peer.paths.index.map { peer.paths.candidates[$0].id }, peer.paths.current?.remote)
    change(&peer.paths)
    isUnderlayDirty = true
    guard let index = peer.paths.index, peer.paths.candidates[index].id != id else { return }
    peer.paths.candidates[index].usedSince = now
    remember((former, peer.paths.candidates[index].remote), of: peer, because: reason)
  }

  mutating func resolve(_ source: Configuration.EndpointSource, to addresses: [Endpoint]) {
    for case let peer? in peers where peer.paths.sources.contains(source) {
      let known = peer.paths.endpoints
      let hadPath = peer.paths.current != nil
      changePaths(of: peer, because: .configuration) { $0.resolve(source, to: addresses) }
      guard peer.paths.endpoints != known else { continue }
      refreshEntry(of: peer)
      if hadPath { contest(peer, because: .configuration) }
      guard !hadPath, isWanted(peer) || !peer.staged.isEmpty else { continue }
      connect(peer)
    }
    collectUnresolvedNames()
  }

  mutating func collectUnresolvedNames() {
    unresolvedNames = []
    for case let peer? in peers {
      for source in peer.paths.unresolved where !unresolvedNames.contains(source) {
        unresolvedNames.append(source)
      }
    }
  }

  /// An endpoint given by hand is taken at once, also where the peer was seen elsewhere.
  mutating func move(_ key: PublicKey, to endpoint: Endpoint) {
    guard let peer = peer(key), peer.paths.current?.remote != endpoint,
      let place = peer.paths.candidates.firstIndex(where: { $0.remote == endpoint })
    else { return }
    use(place, of: peer, because: .command)
  }

  // MARK: What the kernel and the network say

  /// Our side of the path in use is no longer valid (1.2.28).
  mutating func forgetSource(of id: PeerID, along path: Path) {
    guard let peer = peer(id), peer.paths.current == path else { return }
    peer.paths.forgetSource()
    refreshEntry(of: peer)
  }

  /// The kernel takes no packet along `path`: others are used at once, and without any the link is lost.
  mutating func failPath(_ path: Path, of id: PeerID) {
    guard let peer = peer(id) else { return }
    for place in peer.paths.candidates.indices where peer.paths.candidates[place].path.isAlong(path) {
      peer.paths.candidates[place].fail(at: now)
    }
    guard let index = peer.paths.index, !peer.paths.candidates[index].isUsable(at: now) else { return }
    guard let place = peer.paths.alternative(at: now), peer.paths.candidates[place].isUsable(at: now) else {
      loseNeighbour(peer)
      return
    }
    use(place, of: peer, because: .refused)
    contest(peer, because: .refused)
  }

  /// An ICMP error came for something that was sent to `endpoint`.
  ///
  /// Nobody signs it: that the path in use is of no use must be confirmed, and is looked into once a second.
  mutating func heed(_ error: PathError, about endpoint: Endpoint) {
    for case let peer? in peers {
      for place in peer.paths.candidates.indices where peer.paths.candidates[place].remote == endpoint {
        if case .tooBig(let mtu) = error, mtu > 0 {
          peer.paths.candidates[place].mtu?.refused(mtu: mtu, at: now)
        }
      }
      guard case .unreachable = error, peer.paths.current?.remote == endpoint,
        peer.paths.candidates.count > 1,
        now >= peer.lastError.advanced(by: Self.errorInterval)
      else { continue }
      peer.lastError = now
      contest(peer, because: .unreachable)
    }
  }

  /// An interface other than ours carries nothing any more.
  mutating func loseInterface(_ interface: UInt32) {
    for case let peer? in peers {
      var isInUse = false
      for place in peer.paths.candidates.indices
      where peer.paths.candidates[place].path.interface == interface {
        peer.paths.candidates[place].fail(at: now)
        peer.paths.candidates[place].source = nil
        isInUse = isInUse || place == peer.paths.index
      }
      guard isInUse else { continue }
      if let place = peer.paths.alternative(at: now), peer.paths.candidates[place].isUsable(at: now) {
        use(place, of: peer, because: .network)
      } else {
        refreshEntry(of: peer)
      }
      if peer.isLinkUp { speaker?.doubt(NeighbourID(peer.id.rawValue), at: now) }
      contest(peer, because: .network)
    }
  }

  /// Addresses, routes or links of the host have changed: what failed may work now, and what worked may not.
  mutating func networkChanged() {
    for case let peer? in peers {
      for place in peer.paths.candidates.indices { peer.paths.candidates[place].forgetNetwork() }
      refreshEntry(of: peer)
      leaveSourceless(peer)
      guard isLinkUp else { continue }
      // What we are asked to prove shall not hang on a path that the peer thinks we are at no more.
      if peer.hasSession(at: now) { outbox.append(.seal([], peer.id)) }
      contest(peer, because: .network)
    }
  }

  mutating func setUplinks(_ uplinks: [Uplink], maximumMTU: Int, hasIPv6: Bool) {
    self.uplinks = uplinks
    self.maximumMTU = maximumMTU
    self.hasIPv6 = hasIPv6
    for case let peer? in peers {
      changePaths(of: peer, because: .network) { $0.setUplinks(uplinks, hasIPv6: hasIPv6) }
      refreshEntry(of: peer)
      leaveSourceless(peer)
    }
  }

  /// Turns to a path that packets can come from, if there is one: where the kernel still takes those of the path in use, a
  /// stock peer hears of us by the next one, without a handshake.
  private mutating func leaveSourceless(_ peer: Peer) {
    guard let index = peer.paths.index, peer.paths.candidates[index].isSourceless,
      let place = peer.paths.alternative(at: now)
    else { return }
    use(place, of: peer, because: .network)
  }

  /// Finds out which paths to the peer work, by whatever it understands.
  ///
  /// A meshd is asked along all of them. Others answer nothing but handshakes: one begins if the last is long enough ago,
  /// and one that is under way goes to all paths; a peer that sleeps is let sleep.
  private mutating func contest(_ peer: Peer, because reason: PathSwitch.Reason) {
    if isProbed(peer) {
      suspect(peer, because: reason)
      return
    }
    if peer.tunnel.outstandingInitiation != nil {
      peer.race?.tried = []
      fanOut(to: peer)
    } else if peer.hasSession(at: now), peer.paths.candidates.count > 1 || reason == .network {
      let lastHeard = peer.activity.lastAuthenticatedReceived
      guard now < lastHeard.advanced(by: Limits.rejectAfterTime) else { return }
      peer.tunnel.initiate(renewingAttempts: false, at: now, in: &device, using: &random)
      drain(peer)
    }
  }
}

extension Path {
  /// Whether what was sent along `other` was sent along this one; our side counts only where both say it.
  fileprivate func isAlong(_ other: Path) -> Bool {
    guard remote == other.remote else { return false }
    guard let local, let otherLocal = other.local else { return true }
    return local == otherLocal
  }
}
