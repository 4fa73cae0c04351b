internal import Babel
internal import Net
internal import Noise

// A configuration is compared with the one in force; what is equal is not touched.
extension Node {
  mutating func configure(_ new: Configuration) {
    let old = configuration
    configuration = new
    let isKeyNew = old.interface.privateKey?.publicKey != new.interface.privateKey?.publicKey
    if isKeyNew { setIdentity(new.interface.privateKey) }
    configureSpeaker(isKeyNew: isKeyNew, old: old)
    configurePeers()
    planAdjacencies()
    configureOwners()
    configureLocalPrefixes()
    collectUnresolvedNames()
    draft.settings.transit = new.interface.transit
    draft.settings.sourceCheck = new.interface.sourceCheck
    isTableDirty = true
    isUnderlayDirty = true
  }

  /// Our key is what every session and cookie depends on: with another one all of them end.
  private mutating func setIdentity(_ key: PrivateKey?) {
    for case let peer? in peers { remove(peer) }
    identity = key.map { Identity(privateKey: $0) }
    gate = nil
    if let identity { gate = HandshakeGate(identity: identity) }
    draft.settings.identity = identity
    draft.settings.linkLocal = key?.publicKey.linkLocal
  }

  private mutating func configureSpeaker(isKeyNew: Bool, old: Configuration) {
    let isWanted = configuration.interface.babel && identity != nil
    guard isKeyNew || isWanted != (speaker != nil) else { return }
    for case let peer? in peers {
      leaveBabel(peer)
      peer.client = Client()
    }
    // The neighbours hear that we go, then nothing that Babel said holds any longer.
    drainSpeaker()
    speaker = nil
    var known: [(prefix: IPPrefix, source: IPPrefix?)] = []
    draft.allowedIPs.forEach { prefix, source, _ in known.append((prefix, source)) }
    for (prefix, source) in known { refresh(prefix, from: source, because: .configuration) }
    tellOfLostSpeaker()
    guard isWanted, let identity,
      let routerID = RouterID(DerivedAddresses(of: identity.publicKey).interfaceIdentifier)
    else { return }
    // The number a crash has lost was at most a few behind; one more is newer than what others remember of us.
    let seqno = Seqno(state.seqno).successor
    speaker = Speaker(routerID: routerID, seqno: seqno, seed: random.next())
    if isObserved { speaker?.isObserved = true }
    persist(seqno: seqno)
  }

  private mutating func configurePeers() {
    let own = identity?.publicKey
    let wanted = configuration.peers.filter { $0.publicKey != own }
    let keys = Set(wanted.map(\.publicKey))
    for case let peer? in peers where !keys.contains(peer.publicKey) { remove(peer) }
    guard let identity else { return }
    for settings in wanted {
      if let peer = peer(settings.publicKey) {
        update(peer, settings)
      } else {
        add(settings, identity)
      }
    }
  }

  private mutating func add(_ settings: Configuration.Peer, _ identity: Identity) {
    let index = peers.firstIndex { $0 == nil } ?? peers.count
    if index == peers.count { peers.append(nil) }
    let id = PeerID(rawValue: UInt32(index))
    let tunnel = Tunnel(
      identity: identity, peer: settings.publicKey, number: id.rawValue, seed: random.next())
    let peer = Peer(id: id, configuration: settings, tunnel: tunnel)
    peer.paths.setUplinks(uplinks, hasIPv6: hasIPv6)
    peers[index] = peer
    ids[settings.publicKey] = id
    if let other = ownersByLinkLocal[peer.linkLocal].flatMap({ self.peer($0) }) {
      outbox.append(.event(.addressCollision(peer.publicKey, other.publicKey)))
    } else {
      ownersByLinkLocal[peer.linkLocal] = id
    }
    update(peer, settings, isNew: true)
  }

  private mutating func update(_ peer: Peer, _ settings: Configuration.Peer, isNew: Bool = false) {
    configurePaths(of: peer, settings)
    peer.tunnel.presharedKey = settings.presharedKey
    let interval = Duration.seconds(Int64(settings.persistentKeepalive))
    if settings.persistentKeepalive != peer.configuration.persistentKeepalive || isNew {
      peer.tunnel.setPersistentKeepalive(interval == .zero ? nil : interval, at: now)
    }
    let isPropertyNew = peer.configuration.allowedIPs != settings.allowedIPs
    peer.configuration = settings
    if peer.isRepresented, isPropertyNew { represent(peer) }
    let spokeBabel = peer.speaksBabel
    let wantsBabel =
      speaker != nil && settings.babel ?? configuration.interface.babel
      && ownersByLinkLocal[peer.linkLocal] == peer.id
    peer.tunnel.answersCopies = wantsBabel
    if wantsBabel {
      joinBabel(peer)
    } else {
      leaveBabel(peer)
    }
    // What is its property depends on whether it speaks.
    if peer.speaksBabel != spokeBabel {
      for prefix in settings.allowedIPs { refresh(prefix, because: .configuration) }
    }
    drain(peer)
    refreshEntry(of: peer)
  }

  mutating func remove(_ peer: Peer) {
    departed[peer.id] = peer.publicKey
    stopRepresenting(peer)
    leaveBabel(peer)
    sayFarewell(to: peer)
    draft[peer.id] = nil
    peer.tunnel.linkDown(in: &device)
    ids[peer.publicKey] = nil
    if ownersByLinkLocal[peer.linkLocal] == peer.id { ownersByLinkLocal[peer.linkLocal] = nil }
    peers[Int(peer.id.rawValue)] = nil
    isTableDirty = true
  }

  /// Finds out anew who owns which prefix, and mends the routes of those that changed hands.
  private mutating func configureOwners() {
    let old = owners
    owners = [:]
    var changed: [IPPrefix] = []
    for settings in configuration.peers {
      guard let id = ids[settings.publicKey] else { continue }
      for prefix in settings.allowedIPs {
        if owners[prefix] == nil { changed.append(prefix) }
        owners[prefix, default: []].append(id)
      }
    }
    let gone = old.keys.filter { owners[$0] == nil }.sorted()
    for prefix in changed + gone where !prefix.isDefault { bind(prefix, to: owners[prefix] ?? []) }
    bindExits()
    changed.removeAll { old[$0] == owners[$0] }
    for prefix in changed + gone { refresh(prefix, because: .configuration) }
  }

  private mutating func bind(_ prefix: IPPrefix, to ids: [PeerID]) {
    let peers = ids.compactMap { peer($0)?.owner }
    speaker?.bind(prefix, to: peers.isEmpty ? nil : peers, at: now)
  }

  mutating func setMTU(_ mtu: Int) {
    guard mtu != self.mtu else { return }
    self.mtu = mtu
    draft.settings.mtu = mtu
    isTableDirty = true
    for case let peer? in peers {
      if peer.speaksBabel { joinBabel(peer) }
      // What paths carry was looked for up to the former MTU.
      for place in peer.paths.candidates.indices { peer.paths.candidates[place].mtu = nil }
      refreshEntry(of: peer)
    }
  }
}
