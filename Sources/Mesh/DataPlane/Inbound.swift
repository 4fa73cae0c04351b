public import Net
public import Noise

/// Turns datagrams into packets, in place: find the session, open, refuse replays, and say what becomes of
/// each.
///
/// One per receiving lane. Order within a session is that of arrival. Nothing here allocates after `init`.
public struct Inbound: ~Copyable {
  /// ICMP errors about transit packets, marked `.relay` to the peers that sent those: `Outbound.relay` seals
  /// them after each call, as it does the batch.
  public var replies = PacketBatch(bufferCount: 16, bufferCapacity: ICMPError.maximumLength)

  private var aead: AEAD
  private var run = Run(capacity: 128)
  internal var errorBudget = TokenBucket(rate: 1000, burst: 50)
  /// For ICMP errors from routers that announce no prefix of their own.
  internal var exemptions = TokenBucket(rate: 1000, burst: 50)
  /// For the peers that packets are relayed to.
  internal var limit = PeerMTU()
  internal let events: DataPlaneEvents
  private let drops: DropCounters

  /// Makes the transform of one lane.
  public init(events: DataPlaneEvents, drops: DropCounters, backend: AEAD.Backend? = nil) {
    self.events = events
    self.drops = drops
    aead = AEAD(backend: backend)
  }

  /// Takes every pending datagram.
  ///
  /// One ends as `.deliver`: the packet, for the TUN device, `peer` being where it came from; as `.relay`: the packet, for
  /// `peer`; or as `.done`: dropped, or copied into an event.
  public mutating func process(_ batch: inout PacketBatch, table: ForwardingTable, at now: Instant) {
    replies.removeAll()
    limit = PeerMTU()
    var receiver = ReceiverIndex(0)
    for index in 0..<batch.count where batch[index].disposition == .pending {
      switch MessageType(batch.bytes(index)) {
      case .data:
        guard let header = DataHeader(reading: batch.bytes(index)) else { continue }
        if run.isFull || (!run.isEmpty && header.receiver != receiver) {
          openRun(of: receiver, &batch, table, now)
        }
        receiver = header.receiver
        let slot = batch[index]
        run.append(
          slot: index,
          AEAD.Job(
            source: Int(slot.offset) + DataHeader.size, length: Int(slot.length) - DataHeader.overhead,
            counter: header.counter))
      case .handshakeInitiation, .handshakeResponse:
        // Only who knows our public key gets any further (`decisions.md` 10).
        guard let identity = table.settings.identity, identity.isAddressed(by: batch.bytes(index)) else {
          drop(index, of: &batch, .invalidMAC)
          continue
        }
        pass(index, of: &batch, as: .handshake)
      case .cookieReply:
        pass(index, of: &batch, as: .cookie)
      case nil:
        drop(index, of: &batch, .unknownMessage)
      }
    }
    guard !run.isEmpty else { return }
    openRun(of: receiver, &batch, table, now)
  }

  internal func drop(_ index: Int, of batch: inout PacketBatch, _ reason: DropReason) {
    drops.count(reason)
    batch[index].disposition = .done
  }

  /// Copies a message of the handshake to the control thread.
  private func pass(_ index: Int, of batch: inout PacketBatch, as kind: DataPlaneEvents.HandshakeKind) {
    let slot = batch[index]
    guard slot.path != PacketBatch.Slot.noPath,
      events.postHandshake(batch.bytes(index), kind, batch.path(slot.path))
    else {
      drop(index, of: &batch, .handshakeQueueFull)
      return
    }
    batch[index].disposition = .done
  }
}

extension Inbound {
  /// Opens the run and classifies what authenticates and is new; empties it.
  private mutating func openRun(
    of receiver: ReceiverIndex, _ batch: inout PacketBatch, _ table: ForwardingTable, _ now: Instant
  ) {
    defer { run.removeAll() }
    guard let session = table.session(receiver) else {
      for packet in 0..<run.count { drop(run.slot(packet), of: &batch, .unknownReceiver) }
      return
    }
    guard session.keypair.isAlive(at: now) else {
      for packet in 0..<run.count { drop(run.slot(packet), of: &batch, .expiredKey) }
      return
    }
    unsafe aead.open(run.buffer, in: batch.base, key: session.keypair.receiving)
    let acceptedCount = refuseForgedAndReplayed(session.keypair, &batch)
    guard acceptedCount > 0 else { return }
    noteAccepted(session, &batch, now)
    var hasTraffic = false
    for packet in 0..<run.count where run[packet].authentic {
      let index = run.slot(packet)
      guard run[packet].length > 0 else {
        // A keepalive has done its work.
        batch[index].disposition = .done
        continue
      }
      batch[index].offset = UInt32(run[packet].source)
      batch[index].length = UInt32(run[packet].length)
      let order = PacketOrder(session: session.keypair.createdAt, counter: run[packet].counter)
      let isTraffic = classify(index, order, of: &batch, from: session.id, session.peer, table, now)
      hasTraffic = isTraffic || hasTraffic
    }
    if hasTraffic { session.peer.activity.noteTrafficReceived(at: now) }
  }

  /// Drops the packets of the run that do not authenticate, then those seen before; both lose `authentic`.
  ///
  /// Returns how many are left.
  private mutating func refuseForgedAndReplayed(_ keypair: Keypair, _ batch: inout PacketBatch) -> Int {
    var authenticCount = 0
    for packet in 0..<run.count {
      if run[packet].authentic {
        authenticCount += 1
      } else {
        drop(run.slot(packet), of: &batch, .forged)
      }
    }
    guard authenticCount > 0 else { return 0 }
    keypair.withReplayWindow { window in
      for packet in 0..<run.count where run[packet].authentic {
        guard !window.accept(run[packet].counter) else { continue }
        authenticCount -= 1
        run[packet].authentic = false
        drop(run.slot(packet), of: &batch, .replayed)
      }
    }
    return authenticCount
  }

  /// Tells what an authentic packet tells: the peer lives, has our key, and where it is.
  private mutating func noteAccepted(
    _ session: ForwardingTable.Session, _ batch: inout PacketBatch, _ now: Instant
  ) {
    var byteCount = 0
    var hasData = false
    var path = PacketBatch.Slot.noPath
    for packet in 0..<run.count where run[packet].authentic {
      byteCount += run[packet].length + DataHeader.overhead
      hasData = hasData || run[packet].length > 0
      path = batch[run.slot(packet)].path
    }
    session.peer.activity.noteReceived(byteCount: byteCount, data: hasData, at: now)
    if session.keypair.confirm(), !events.postKeyConfirmed(session.id, session.keypair.localIndex) {
      session.keypair.forgetConfirmation()
    }
    guard path != PacketBatch.Slot.noPath, batch.path(path) != session.peer.heard else { return }
    noteMoved(session, batch)
  }

  /// Tells that the peer sends by another path, unless it only asked whether that works.
  private func noteMoved(_ session: ForwardingTable.Session, _ batch: borrowing PacketBatch) {
    for packet in (0..<run.count).reversed() where run[packet].authentic {
      let place = batch[run.slot(packet)].path
      guard place != PacketBatch.Slot.noPath, batch.path(place) != session.peer.heard else { return }
      let plaintext = batch.bytes(at: run[packet].source, count: run[packet].length)
      if session.peer.speaksBabel, PathProbe.matches(plaintext) { continue }
      // A lost observation is made again by the next packet.
      _ = events.postEndpointObserved(session.id, batch.path(place))
      return
    }
  }
}
