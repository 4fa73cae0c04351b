internal import Net
internal import Noise

// Lanes only stamp what peers do. The control thread looks at the stamps and tells the timers, with the instants at
// which it happened.
extension Node {
  mutating func sampleActivity() {
    let isCalm = now >= calmSample
    guard isCalm || now >= urgentSample else { return }
    var hasUrgent = false
    for case let peer? in peers where isCalm || peer.hasUnansweredTraffic(at: now) {
      report(peer)
      drain(peer)
      hasUrgent = hasUrgent || peer.hasUnansweredTraffic(at: now)
    }
    hasUrgent = reviewShortcuts(all: isCalm) || hasUrgent
    if isCalm {
      calmSample = now.advanced(by: Self.calmSampling)
      representSilentPeers()
      reviewAdjacencies()
    }
    urgentSample = hasUrgent ? now.advanced(by: Self.urgentSampling) : .distantFuture
  }

  /// Tells the tunnel what is new, in the order in which it happened: data before the packet that carried it.
  private mutating func report(_ peer: Peer) {
    let activity = peer.activity
    let dataSent = activity.lastDataSent
    let dataReceived = activity.lastDataReceived
    let sent = activity.lastAuthenticatedSent
    let received = activity.lastAuthenticatedReceived
    var events: [(at: Instant, kind: ActivityKind)] = []
    if dataSent > peer.reported.dataSent { events.append((dataSent, .dataSent)) }
    if dataReceived > peer.reported.dataReceived { events.append((dataReceived, .dataReceived)) }
    if sent > peer.reported.authenticatedSent { events.append((sent, .authenticatedSent)) }
    if received > peer.reported.authenticatedReceived { events.append((received, .authenticatedReceived)) }
    guard !events.isEmpty else { return }
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
  }
}

/// What a lane stamps, in the order in which one packet causes it.
private enum ActivityKind: Int {
  case authenticatedSent
  case dataSent
  case authenticatedReceived
  case dataReceived
}
