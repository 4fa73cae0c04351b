internal import Babel
internal import DequeModule
internal import Net
internal import Noise

// Babel's routes, ownership and our own prefixes become one table; nothing else writes to it.
extension Node {
  /// Makes the peer a neighbour, or tells the speaker what changed about it.
  mutating func joinBabel(_ peer: Peer) {
    guard let identity, speaker != nil else { return }
    let rules = peer.configuration.filters + configuration.interface.filters
    let settings = NeighbourSettings(
      ourLinkLocal: identity.publicKey.linkLocal, expected: peer.linkLocal,
      accept: peer.configuration.accept, prefixLimit: peer.configuration.maxPrefixes,
      inbound: Filter(.in, of: rules), outbound: Filter(.out, of: rules),
      ipv4NextHop: firstOwnIPv4, mtu: mtu,
      keys: peer.configuration.babelKeys.map { MACKey(sign: $0.sign, verify: $0.verify) })
    let id = NeighbourID(peer.id.rawValue)
    if peer.speaksBabel {
      speaker?.updateNeighbour(id, settings, at: now)
    } else {
      peer.speaksBabel = true
      speaker?.addNeighbour(id, settings, at: now)
    }
  }

  mutating func leaveBabel(_ peer: Peer) {
    guard peer.speaksBabel else { return }
    peer.speaksBabel = false
    peer.isLinkUp = false
    peer.client.lastSpoken = nil
    peer.isNeighbourUp = false
    peer.adjacency = Adjacency()
    closeShortcut(to: peer)
    speaker?.removeNeighbour(NeighbourID(peer.id.rawValue), at: now)
  }

  private var firstOwnIPv4: IPv4Address? {
    for address in configuration.interface.host.addresses {
      if case .v4(let v4) = address.address { return v4 }
    }
    return nil
  }

  /// A session with the peer exists: Babel may begin.
  mutating func linkUp(_ peer: Peer) {
    guard opensWithSession(peer) else { return }
    openLink(to: peer)
  }

  /// Has Babel begin.
  mutating func openLink(to peer: Peer) {
    guard peer.speaksBabel, !peer.isLinkUp else { return }
    closeShortcut(to: peer)
    peer.adjacency.openedAt = now
    peer.isLinkUp = true
    speaker?.linkUp(NeighbourID(peer.id.rawValue), at: now)
  }

  /// Nothing is said to the peer until it calls, or speaks.
  mutating func closeLink(_ peer: Peer) {
    guard peer.isLinkUp else { return }
    peer.isLinkUp = false
    speaker?.linkDown(NeighbourID(peer.id.rawValue), at: now)
  }

  /// Packets to a peer cannot leave along the path in use: its routes are of no use until it is heard to answer.
  mutating func loseNeighbour(_ peer: Peer) {
    guard peer.isLinkUp else { return }
    speaker?.linkFailed(NeighbourID(peer.id.rawValue), at: now)
  }

  /// An authentic Babel packet, its headers checked by the lane.
  mutating func handleControl(
    _ packet: [UInt8], from peer: Peer, along path: Path?, arrival: Instant, _ order: PacketOrder
  ) {
    guard peer.speaksBabel, let header = unsafe IPHeader(reading: packet.span.bytes),
      case .v6(let source) = header.source, case .v6(let destination) = header.destination
    else { return }
    noteSpoken(peer)
    noteSpeaker(peer, at: source)
    let payload = unsafe packet.span.bytes.extracting(BabelDatagram.overhead..<header.totalLength)
    if let probe = PathProbe(reading: payload) {
      if let path { handle(probe, from: peer, along: path, arrival: arrival) }
      return
    }
    if let probe = DirectProbe(reading: payload) {
      handle(probe, from: peer)
      return
    }
    let isOvertaken = peer.lastControl.map { order.precedes($0) } ?? false
    if !isOvertaken { peer.lastControl = order }
    if !peer.isLinkUp {
      if opensWithSession(peer) {
        openLink(to: peer)
      } else {
        hearGreeting(payload, from: peer, source: source)
      }
    }
    speaker?.handle(
      payload, from: NeighbourID(peer.id.rawValue), source: source,
      destinationIsUnicast: destination != BabelDatagram.group, isOvertaken: isOvertaken, at: arrival)
  }

  /// Carries out what the speaker wants.
  mutating func drainSpeaker() {
    while let output = postponed.popFirst() ?? speaker?.poll() {
      switch output {
      case .send(let neighbour, let packet):
        speak(packet, to: PeerID(rawValue: neighbour.rawValue))
      case .routeChanged(let key):
        if key.source == nil { noteRival(for: key.prefix) }
        refresh(key.prefix, from: key.source)
      case .switched(let change):
        record(change)
      case .claimLost(let prefix):
        loseClaim(to: prefix)
      case .prefixLimitReached(let neighbour):
        guard let peer = peer(PeerID(rawValue: neighbour.rawValue)) else { continue }
        outbox.append(.event(.prefixLimitReached(peer.publicKey)))
      case .neighbourChanged(let neighbour):
        guard let peer = peer(PeerID(rawValue: neighbour.rawValue)) else { continue }
        let isUp = speaker?.neighbour(neighbour)?.cost.isFinite ?? false
        guard isUp != peer.isNeighbourUp else { continue }
        peer.isNeighbourUp = isUp
        outbox.append(.event(.neighbourChanged(peer.publicKey, isUp: isUp)))
      case .neighbourDoubted(let neighbour):
        guard let peer = peer(PeerID(rawValue: neighbour.rawValue)) else { continue }
        suspect(peer, because: .silence)
      case .seqnoChanged(let seqno):
        persist(seqno: seqno)
      }
    }
    departed = [:]
  }

  private mutating func speak(_ packet: OutgoingPacket, to id: PeerID) {
    guard let identity, let peer = peer(id) else { return }
    guard peer.hasSession(at: now) else {
      // What is said to nobody is said again; but it is a reason to have a session.
      if peer.speaksBabel { connect(peer) }
      return
    }
    outbox.append(.speak(BabelPacket(packet, from: identity.publicKey.linkLocal), id))
  }

  /// Lets the last words to a peer leave under the table that still has its session.
  ///
  /// What else the speaker says is heard when the configuration is whole again.
  mutating func sayFarewell(to peer: Peer) {
    while let output = speaker?.poll() {
      if case .send(NeighbourID(peer.id.rawValue), let packet) = output {
        guard let identity, peer.hasSession(at: now) else { continue }
        farewells.append(.speak(BabelPacket(packet, from: identity.publicKey.linkLocal), peer.id))
      } else {
        postponed.append(output)
      }
    }
  }

  private mutating func record(_ change: RouteSwitch) {
    record(
      SwitchRecord(
        time: now, prefix: change.key.prefix, source: change.key.source,
        former: change.former.flatMap { key(of: $0) }, formerMetric: change.formerMetric.rawValue,
        current: change.current.flatMap { key(of: $0) }, metric: change.metric.rawValue,
        reason: .routing(change.reason)))
  }

  private mutating func record(_ record: SwitchRecord) {
    switches.append(record)
    outbox.append(.event(.routeSwitched(record)))
  }

  /// Who a neighbour is, or was at the beginning of the turn.
  func key(of neighbour: NeighbourID) -> PublicKey? {
    let id = PeerID(rawValue: neighbour.rawValue)
    return departed[id] ?? peer(id)?.publicKey
  }

  /// Brings the table's entry for one prefix, or for packets to it from some sources, up to date with what Babel, the
  /// configuration and we say about it.
  ///
  /// `reason` is remembered if packets go elsewhere from now on; without one, Babel has given it.
  mutating func refresh(
    _ prefix: IPPrefix, from source: IPPrefix? = nil, because reason: SwitchRecord.Reason? = nil
  ) {
    let old = draft.allowedIPs[prefix, from: source]
    let new = route(for: prefix, from: source)
    guard new != old else { return }
    draft.allowedIPs[prefix, from: source] = new
    isTableDirty = true
    guard old?.target != new?.target else { return }
    changedHostPrefixes.append(HostPrefix(prefix, from: source))
    guard let reason else { return }
    record(
      SwitchRecord(
        time: now, prefix: prefix, source: source, former: nextHop(of: old), current: nextHop(of: new),
        reason: reason))
  }

  private func nextHop(of route: Route?) -> PublicKey? {
    guard case .peer(let id)? = route?.target else { return nil }
    return key(of: NeighbourID(id.rawValue))
  }

  private func route(for prefix: IPPrefix, from source: IPPrefix?) -> Route? {
    let view = speaker?.route(for: prefix, source: source)
    var route = Route(.none)
    for neighbour in view?.announcers ?? [] { route.sources.insert(PeerID(rawValue: neighbour.rawValue)) }
    let state = view?.state ?? .none
    if source == nil {
      for id in owners[prefix] ?? [] where owns(id, prefix) { route.owners.insert(id) }
      route.target = target(of: prefix, state)
    } else {
      route.target = target(of: state)
    }
    return route.isEmpty ? nil : route
  }

  private func target(of prefix: IPPrefix, _ state: RouteView.State) -> Route.Target {
    guard !localPrefixes.contains(prefix) else { return .local }
    let owners = (owners[prefix] ?? []).filter { owns($0, prefix) }
    if let client = owners.first(where: { peer($0)?.client.represented.contains(prefix) == true }) {
      return .peer(client)
    }
    switch state {
    case .via: return target(of: state)
    case .unreachable, .none, .local: break
    }
    // A peer that is told not to speak is where its prefixes are unless another node has it, as in plain WireGuard.
    if let silent = owners.first(where: { peer($0)?.speaksBabel == false }) { return .peer(silent) }
    if state == .unreachable { return .unreachable }
    // Before Babel has spoken, the owner is the best guess, and traffic to it opens the session.
    return owners.first.map { .peer($0) } ?? .none
  }

  /// What Babel alone says: nobody owns a part of a prefix.
  private func target(of state: RouteView.State) -> Route.Target {
    switch state {
    case .via(let neighbour, _, _, _): .peer(PeerID(rawValue: neighbour.rawValue))
    case .unreachable: .unreachable
    case .local: .local
    case .none: .none
    }
  }

  /// Whether a prefix in the peer's `AllowedIPs` is its property.
  ///
  /// A default route at a peer that speaks Babel is only leave to be an exit (`decisions.md` 13).
  private func owns(_ id: PeerID, _ prefix: IPPrefix) -> Bool {
    !(prefix.isDefault && peer(id)?.speaksBabel == true)
  }

  mutating func persist(seqno: Seqno) {
    state.seqno = seqno.rawValue
    outbox.append(.persist(state))
  }
}
