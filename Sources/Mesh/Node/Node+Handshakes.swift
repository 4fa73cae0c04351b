internal import Net
internal import Noise

// Handshakes, sessions and what waits for them.
extension Node {
  mutating func handle(_ event: DataPlaneEvent) {
    switch event {
    case .handshake(let message, let path): handleHandshake(message, along: path)
    case .control(let id, let packet, let arrival, let order, let path):
      guard let peer = peer(id) else { return }
      handleControl(packet, from: peer, along: path, arrival: arrival, order)
    case .needsSession(let id, let packet):
      guard let peer = peer(id) else { return }
      stage(packet, for: peer)
    case .keyConfirmed(let id, let index):
      guard let peer = peer(id) else { return }
      peer.keyConfirmed = now
      peer.tunnel.keyConfirmed(index, at: now, in: &device)
      drain(peer)
    case .endpointObserved(let id, let path):
      guard let peer = peer(id) else { return }
      observe(path, of: peer)
    }
  }

  // MARK: Messages

  /// A handshake message from anywhere: nothing about it is true yet (1.2.5).
  private mutating func handleHandshake(_ octets: [UInt8], along path: Path) {
    let message = unsafe octets.span.bytes
    switch MessageType(message) {
    case .handshakeInitiation, .handshakeResponse: break
    case .cookieReply:
      consumeCookie(message)
      return
    case .data, nil: return
    }
    // A device that is down has no peers: the sockets hear nobody (1.2.16).
    guard let identity, gate != nil, isLinkUp else { return }
    let isLoaded = load.handshakeArrived(queued: openings, capacity: Opening.capacity, at: now)
    switch gate?.admit(message, from: path.remote, underLoad: isLoaded, at: now, using: &random) {
    case .admit: break
    case .reply(let reply):
      outbox.append(.datagram(reply, uplinks.naming(path), to: nil))
      return
    case .drop, nil: return
    }
    if let initiation = HandshakeInitiation(reading: message) {
      guard openings < Opening.capacity else { return }
      openings += 1
      outbox.append(.open(Opening(initiation: initiation, identity: identity, path: path)))
    } else if let response = HandshakeResponse(reading: message) {
      attempt(from: path) { (node) throws(HandshakeError) in
        try node.consume(response, byteCount: octets.count, along: path)
      }
    }
  }

  /// Goes on with an initiation whose sender is known now.
  mutating func handleOpened(_ opening: Opening.Result) {
    openings -= 1
    // The key may have changed meanwhile, the device may be down.
    guard opening.identity === identity, isLinkUp else { return }
    attempt(from: opening.path) { (node) throws(HandshakeError) in
      try opening.initiation { (initiation) throws(HandshakeError) in
        try node.consume(initiation, along: opening.path)
      }
    }
  }

  private mutating func attempt(
    from path: Path, _ step: (inout Node) throws(HandshakeError) -> Void
  ) {
    do {
      try step(&self)
    } catch {
      outbox.append(.event(.handshakeRefused(from: path.remote, reason: "\(error)")))
    }
  }

  private mutating func consume(_ initiation: borrowing OpenedInitiation, along path: Path)
    throws(HandshakeError)
  {
    guard let peer = peer(initiation.peer) else { throw .unexpected }
    let answer = try peer.tunnel.consume(initiation, at: now, in: &device, using: &random)
    peer.activity.noteHandshakeReceived(byteCount: HandshakeInitiation.size)
    switch answer {
    case .session:
      // Packets follow the initiator to where its first one comes from (S5.11); until then they go where they went.
      peer.responsePath = uplinks.naming(path)
      if !peer.hasSession(at: now) {
        use(peer.paths.observe(path, at: now).place, of: peer, because: .roamed)
      }
      drain(peer)
    case .copy(let response):
      peer.activity.noteHandshakeSent(byteCount: response.count)
      outbox.append(.datagram(response, uplinks.naming(path), to: peer.id))
    }
  }

  private mutating func consume(_ response: HandshakeResponse, byteCount: Int, along path: Path)
    throws(HandshakeError)
  {
    guard let owner = device.indices[response.receiver], let peer = peer(PeerID(rawValue: owner)) else {
      throw .unexpected
    }
    try peer.tunnel.consume(response, at: now, in: &device)
    peer.activity.noteHandshakeReceived(byteCount: byteCount)
    finishRace(with: peer, along: path)
    drain(peer)
  }

  private mutating func consumeCookie(_ message: RawSpan) {
    guard let reply = CookieReply(reading: message), let owner = device.indices[reply.receiver],
      let peer = peer(PeerID(rawValue: owner))
    else { return }
    // A cookie for another message of ours, or a forged one: silence is right either way.
    try? peer.tunnel.consume(reply, at: now)
  }

  // MARK: Sessions

  /// Opens a session with the peer, if there is a way to it and none is being opened.
  ///
  /// Only `forUser` traffic makes the 20 attempts start over.
  mutating func connect(_ peer: Peer, forUser: Bool = false) {
    guard isLinkUp, peer.paths.current != nil else { return }
    peer.tunnel.initiate(renewingAttempts: forUser, at: now, in: &device, using: &random)
    drain(peer)
  }

  private mutating func stage(_ packet: [UInt8], for peer: Peer) {
    // The session may have come while the packet was on its way up.
    if peer.hasSession(at: now) {
      outbox.append(.seal(packet, peer.id))
      return
    }
    _ = peer.staged.append(packet)
    connect(peer, forUser: true)
  }

  /// Carries out what the tunnel wants, and notes when it will want more: to be called after everything that it is told.
  mutating func drain(_ peer: Peer) {
    while let output = peer.tunnel.poll() {
      switch output {
      case .keypairsChanged: refreshEntry(of: peer)
      case .sendHandshake(let message): send(message, to: peer)
      case .sendKeepalive: outbox.append(.seal([], peer.id))
      case .established(let mustConfirm): established(peer, mustConfirm: mustConfirm)
      case .gaveUp: giveUp(peer)
      case .forgetSource: retry(peer)
      }
    }
    tunnelDeadline = min(tunnelDeadline, peer.tunnel.nextDeadline)
  }

  mutating func advanceTunnels() {
    tunnelDeadline = .distantFuture
    for case let peer? in peers {
      if peer.tunnel.nextDeadline <= now { peer.tunnel.advance(to: now, in: &device, using: &random) }
      drain(peer)
    }
  }

  private mutating func send(_ message: [UInt8], to peer: Peer) {
    // The ceiling is on disk before a timestamp below it is on the wire.
    if device.timestamps.highWaterMark != state.highWaterMark {
      state.highWaterMark = device.timestamps.highWaterMark
      outbox.append(.persist(state))
    }
    guard MessageType(unsafe message.span.bytes) == .handshakeResponse else {
      race(message, to: peer)
      return
    }
    guard let path = peer.responsePath.take() else { return }
    peer.activity.noteHandshakeSent(byteCount: message.count)
    outbox.append(.datagram(message, path, to: peer.id))
  }

  /// What waited goes out; with nothing waiting a keepalive, so that the peer may send too (1.2.9).
  private mutating func established(_ peer: Peer, mustConfirm: Bool) {
    peer.lastHandshake = epoch + now.nanoseconds
    peer.unansweredHandshakes = 0
    outbox.append(.event(.sessionEstablished(peer.publicKey, endpoint: peer.paths.current?.remote)))
    if peer.staged.isEmpty, mustConfirm { outbox.append(.seal([], peer.id)) }
    while let packet = peer.staged.popFirst() { outbox.append(.seal(packet, peer.id)) }
    // Who must confirm has asked, and this is how long the answer took.
    if mustConfirm { peer.adjacency.roundTrip = peer.adjacency.initiationSent?.duration(to: now) }
    linkUp(peer)
    sessionBegan(with: peer, byPeer: !mustConfirm)
  }

  /// No answer within REKEY_TIMEOUT: our side of the path is forgotten (1.2.14).
  private mutating func retry(_ peer: Peer) {
    peer.paths.forgetSource()
    loseRace(with: peer)
    refreshEntry(of: peer)
    peer.unansweredHandshakes += 1
    if peer.isGone { stopRepresenting(peer) }
  }

  private mutating func giveUp(_ peer: Peer) {
    _ = peer.staged.removeAll()
    peer.unansweredHandshakes = Limits.initiationAttempts
    outbox.append(.event(.handshakeGaveUp(peer.publicKey)))
    loseSession(peer)
    // A neighbour is wanted whether or not there is traffic for it: without a session nothing would call for one. A
    // client that sleeps is left to it.
    if isWanted(peer), !peer.client.isKnown || !peer.configuration.endpoints.isEmpty { connect(peer) }
  }

  private mutating func loseSession(_ peer: Peer) {
    closeShortcut(to: peer)
    closeLink(peer)
    peer.client.lastSpoken = nil
    stopRepresenting(peer)
    refreshEntry(of: peer)
  }

  // MARK: The device

  /// Link down: sessions and handshakes are erased, what waits is dropped.
  ///
  /// Link up: staged packets and neighbours call for sessions anew (1.2.16).
  mutating func setLink(isUp: Bool) {
    guard isUp != isLinkUp else { return }
    isLinkUp = isUp
    for case let peer? in peers {
      if isUp {
        refreshEntry(of: peer)
        peer.tunnel.linkUp(at: now)
        drain(peer)
        if isWanted(peer) { connect(peer) }
      } else {
        _ = peer.staged.removeAll()
        peer.tunnel.linkDown(in: &device)
        drain(peer)
        loseSession(peer)
      }
    }
  }

  /// Makes the lanes' view of the peer what it is here.
  mutating func refreshEntry(of peer: Peer) {
    let keypairs = peer.tunnel.keypairs
    draft[peer.id] = PeerEntry(
      publicKey: peer.publicKey, previous: keypairs.previous, current: keypairs.current, next: keypairs.next,
      path: isLinkUp ? peer.paths.current : nil, heard: peer.heard,
      mtu: peer.paths.index.flatMap { peer.paths.candidates[$0].mtu?.confirmed },
      speaksBabel: peer.speaksBabel,
      accept: peer.configuration.accept.map { AddressSet($0) }, activity: peer.activity)
    isTableDirty = true
  }
}
