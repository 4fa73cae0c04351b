internal import Babel
internal import Net
internal import Noise

// Lanes only stamp what peers do. The control thread looks at the stamps and tells timers and Babel, with the instants at
// which it happened.
extension Node {
  /// Looks at every peer now and then, and every 20 ms at those with which something goes on.
  mutating func sampleActivity() {
    let isCalm = now >= calmSample
    guard isCalm || now >= urgentSample else { return }
    if isCalm {
      busyPeers.removeAll(keepingCapacity: true)
      for case let peer? in peers {
        sample(peer)
        peer.paths.expireLearned(at: now)
        reviewPaths(of: peer)
        raceIfDue(with: peer)
        if isBusy(peer) { busyPeers.append(peer.id) }
      }
      calmSample = now.advanced(by: Self.calmSampling)
      representSilentPeers()
      reviewAdjacencies()
    } else {
      for id in busyPeers { if let peer = peer(id) { sample(peer) } }
    }
    let isUrgent = reviewShortcuts(all: isCalm) || !busyPeers.isEmpty
    urgentSample = isUrgent ? now.advanced(by: Self.urgentSampling) : .distantFuture
  }

  private mutating func sample(_ peer: Peer) {
    if report(peer) { drain(peer) }
    watchPaths(of: peer)
    guard peer.isLinkUp else { return }
    let activity = peer.activity
    speaker?.observe(
      LinkActivity(
        unansweredSince: activity.unansweredSince, lastHeard: activity.lastAuthenticatedReceived,
        lastSent: activity.lastTrafficSent, lastReceived: activity.lastTrafficReceived),
      of: NeighbourID(peer.id.rawValue), at: now)
  }

  /// Whether something may have to be noticed about the peer before the next look at all of them.
  private func isBusy(_ peer: Peer) -> Bool {
    guard !peer.hasUnansweredTraffic(at: now) else { return true }
    let lastTraffic = max(peer.activity.lastTrafficSent, peer.activity.lastTrafficReceived)
    return peer.isLinkUp && now < lastTraffic.advanced(by: Self.calmSampling * 2)
  }

  /// Tells the tunnel what is new, in the order in which it happened: data before the packet that carried it; whether
  /// anything is.
  private mutating func report(_ peer: Peer) -> Bool {
    let activity = peer.activity
    let dataSent = activity.lastDataSent
    let dataReceived = activity.lastDataReceived
    let sent = activity.lastAuthenticatedSent
    let received = activity.lastAuthenticatedReceived
    // Of a thousand peers most have nothing to tell.
    guard
      dataSent > peer.reported.dataSent || dataReceived > peer.reported.dataReceived
        || sent > peer.reported.authenticatedSent || received > peer.reported.authenticatedReceived
    else { return false }
    var events: [(at: Instant, kind: ActivityKind)] = []
    if dataSent > peer.reported.dataSent { events.append((dataSent, .dataSent)) }
    if dataReceived > peer.reported.dataReceived { events.append((dataReceived, .dataReceived)) }
    if sent > peer.reported.authenticatedSent { events.append((sent, .authenticatedSent)) }
    if received > peer.reported.authenticatedReceived { events.append((received, .authenticatedReceived)) }
    peer.reported.dataSent = dataSent
    peer.reported.dataReceived = dataReceived
    peer.reported.authenticatedSent = sent
    peer.reported.authenticatedReceived = received
    events.sort { ($0.at, $0.kind.rawValue) < ($1.at, $1.kind.rawValue) }
    for event in events {
      switch event.kind {
      case .authenticatedSent: peer.tunnel.authenticatedPacketSent(at: event.at)
      case .dataSent: peer.tunnel.dataSent(at: event.at)
      case .authenticatedReceived: peer.tunnel.authenticatedPacketReceived(at: event.at)
      case .dataReceived: peer.tunnel.dataReceived(at: event.at)
      }
    }
    return true
  }
}

/// What a lane stamps, in the order in which one packet causes it.
private enum ActivityKind: Int {
  case authenticatedSent
  case dataSent
  case authenticatedReceived
  case dataReceived
}
