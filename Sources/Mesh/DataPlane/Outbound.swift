public import Net
public import Noise

/// Turns packets into data messages, in place: route, pad, reserve nonces, seal (whitepaper §5.4.6).
///
/// One per lane, and one for the control thread. Packets of a batch keep their order; consecutive ones for the same peer
/// share one reservation and one AEAD batch. Nothing here allocates after `init`.
public struct Outbound: ~Copyable {
  /// ICMP errors about packets that `process` could not send, to be written to the TUN device after each
  /// call.
  public var replies = PacketBatch(bufferCount: 16, bufferCapacity: ICMPError.maximumLength)

  private var aead: AEAD
  private var run = Run(capacity: 128)
  private var errorBudget = TokenBucket(rate: 1000, burst: 50)
  private var limit = PeerMTU()
  private let events: DataPlaneEvents
  private let drops: DropCounters

  /// Makes the transform of one thread.
  public init(events: DataPlaneEvents, drops: DropCounters, backend: AEAD.Backend? = nil) {
    self.events = events
    self.drops = drops
    aead = AEAD(backend: backend)
  }

  /// Routes and seals every pending packet: packets of this host, from the TUN device.
  ///
  /// A packet ends as `.send`, or as `.done`: dropped, or copied into `needsSession`.
  public mutating func process(_ batch: inout PacketBatch, table: ForwardingTable, at now: Instant) {
    replies.removeAll()
    limit = PeerMTU()
    for index in 0..<batch.count where batch[index].disposition == .pending {
      route(index, of: &batch, table, now)
    }
    sealRuns(of: &batch, table, now, fromHost: true)
  }

  /// Seals every packet marked `.relay` for the peer in its slot, as it stands: `Inbound` has lowered its TTL
  /// and chosen its length, so that the sealed packet ends where the received one did.
  public mutating func relay(_ batch: inout PacketBatch, table: ForwardingTable, at now: Instant) {
    sealRuns(of: &batch, table, now, fromHost: false)
  }

  /// Copies a packet into `batch` and seals it for `id`: staged packets, Babel, probes.
  ///
  /// `path` overrules the peer's. With a `size`, padding makes the plaintext exactly that long, whatever the MTU: the
  /// receiver drops it unseen but authenticated, so that it tells what the path carries. `false` if the batch is full or
  /// its buffers too small, or the peer has no endpoint or no session that may send; nothing is posted then.
  public mutating func seal(
    _ packet: RawSpan, to id: PeerID, along path: Path? = nil, size: Int? = nil, in batch: inout PacketBatch,
    table: ForwardingTable, at now: Instant
  ) -> Bool {
    guard size ?? 0 <= batch.bufferCapacity, let peer = table.peer(id), let path = path ?? peer.path,
      let (keypair, counter) = Self.reserve(1, peer, now), let index = batch.append(copying: packet)
    else { return false }
    batch[index].peer = id.rawValue
    if let header = IPHeader(reading: packet) { batch[index].ecn = ECN.encapsulate(header.ecn) }
    if let size {
      batch.pad(index, to: size)
    } else {
      batch.pad(index, mtu: table.mtu(of: peer))
    }
    run.append(slot: index, batch.job(index))
    seal(&batch, peer, keypair, from: counter, along: path, now)
    return true
  }

  /// Seals an empty packet for `id`; otherwise as `seal`.
  public mutating func sealKeepalive(
    to id: PeerID, along path: Path? = nil, in batch: inout PacketBatch, table: ForwardingTable,
    at now: Instant
  ) -> Bool {
    seal(RawSpan(), to: id, along: path, in: &batch, table: table, at: now)
  }
}

extension Outbound {
  /// Marks a packet `.relay` for the peer that has its destination, or refuses it.
  private mutating func route(
    _ index: Int, of batch: inout PacketBatch, _ table: ForwardingTable, _ now: Instant
  ) {
    guard let header = IPHeader(reading: batch.bytes(index)) else {
      drop(index, of: &batch, .malformed)
      return
    }
    let shortcut = table.shortcut(to: header.destination, from: header.source, at: now)
    let target = table.allowedIPs.target(for: header.destination, from: header.source)
    switch shortcut.map({ .peer($0) }) ?? target {
    case .peer(let id):
      limit.turn(to: id, in: table)
      guard
        header.totalLength <= limit.confirmed || PeerMTU.mayBeFragmented(header, batch.bytes(index))
      else {
        refuse(index, of: &batch, .tooBig, PeerMTU.error(limit.octets, about: header), now)
        return
      }
      batch[index].peer = id.rawValue
      batch[index].ecn = ECN.encapsulate(header.ecn)
      batch[index].length = UInt32(header.totalLength)
      batch[index].disposition = .relay
      if header.opensConnection(batch.bytes(index)) {
        var octets = batch.mutableBytes(index)
        octets.clampMSS(header, mtu: limit.octets)
      }
      batch.pad(index, mtu: limit.octets)
    case .none, .local:
      refuse(index, of: &batch, .noRoute, .hostUnreachable, now)
    case .unreachable:
      refuse(index, of: &batch, .unreachable, .hostUnreachable, now)
    }
  }

  /// Seals all packets marked `.relay`, one run of equal peers after the other.
  private mutating func sealRuns(
    of batch: inout PacketBatch, _ table: ForwardingTable, _ now: Instant, fromHost: Bool
  ) {
    var peer: UInt32 = 0
    for index in 0..<batch.count where batch[index].disposition == .relay {
      if run.isFull || (!run.isEmpty && batch[index].peer != peer) {
        sealRun(for: PeerID(rawValue: peer), &batch, table, now, fromHost: fromHost)
      }
      peer = batch[index].peer
      run.append(slot: index, batch.job(index))
    }
    guard !run.isEmpty else { return }
    sealRun(for: PeerID(rawValue: peer), &batch, table, now, fromHost: fromHost)
  }

  /// Seals the run, or drops or stages all of it; empties it.
  private mutating func sealRun(
    for id: PeerID, _ batch: inout PacketBatch, _ table: ForwardingTable, _ now: Instant, fromHost: Bool
  ) {
    let peer = table.peer(id)
    guard let peer, let path = peer.path else {
      for packet in 0..<run.count {
        let index = run.slot(packet)
        // The host learns at once that the peer cannot be reached; another node's packets were announced to us in error.
        if fromHost {
          refuse(index, of: &batch, .noEndpoint, .hostUnreachable, now)
        } else {
          drop(index, of: &batch, .noEndpoint)
        }
      }
      run.removeAll()
      return
    }
    guard let (keypair, counter) = Self.reserve(run.count, peer, now) else {
      for packet in 0..<run.count {
        let index = run.slot(packet)
        stage(index, of: &batch, for: id)
      }
      run.removeAll()
      return
    }
    seal(&batch, peer, keypair, from: counter, along: path, now)
    peer.activity.noteTrafficSent(at: now)
  }

  /// Seals the run under `keypair` with consecutive counters; empties it.
  private mutating func seal(
    _ batch: inout PacketBatch, _ peer: PeerEntry, _ keypair: Keypair, from counter: UInt64, along path: Path,
    _ now: Instant
  ) {
    let path = batch.append(path)
    var byteCount = 0
    var hasData = false
    for packet in 0..<run.count {
      let index = run.slot(packet)
      let header = DataHeader(receiver: keypair.remoteIndex, counter: counter &+ UInt64(packet))
      run[packet].counter = header.counter
      hasData = hasData || run[packet].length > 0
      var slot = batch[index]
      slot.offset -= UInt32(DataHeader.size)
      slot.length += UInt32(DataHeader.overhead)
      slot.counter = header.counter
      slot.path = path
      slot.dscp = 0
      slot.disposition = .send
      batch[index] = slot
      byteCount += Int(slot.length)
      var octets = batch.mutableBytes(at: Int(slot.offset), count: DataHeader.size)
      header.write(to: &octets)
    }
    unsafe aead.seal(run.buffer, in: batch.base, key: keypair.sending)
    run.removeAll()
    peer.activity.noteSent(byteCount: byteCount, data: hasData, at: now)
  }

  /// The peer's sending keypair and the first of `count` counters under it; `nil` if a new session is wanted.
  private static func reserve(_ count: Int, _ peer: PeerEntry, _ now: Instant) -> (Keypair, UInt64)? {
    guard let keypair = peer.current, keypair.isAlive(at: now), let counter = keypair.reserve(count) else {
      return nil
    }
    return (keypair, counter)
  }

  /// Copies a packet to the control thread, without its padding.
  private func stage(_ index: Int, of batch: inout PacketBatch, for id: PeerID) {
    if let header = IPHeader(reading: batch.bytes(index)) {
      batch[index].length = UInt32(header.totalLength)
    }
    guard events.postNeedsSession(batch.bytes(index), to: id) else {
      drop(index, of: &batch, .sessionQueueFull)
      return
    }
    batch[index].disposition = .done
  }

  private func drop(_ index: Int, of batch: inout PacketBatch, _ reason: DropReason) {
    drops.count(reason)
    batch[index].disposition = .done
  }

  /// Drops a packet of this host and tells it with an ICMP error, as the kernel module does.
  ///
  /// The error comes from the destination: the kernel takes no packet with one of its own addresses as source from a
  /// device, and a strict reverse path filter takes this one, since the destination is routed to the device.
  private mutating func refuse(
    _ index: Int, of batch: inout PacketBatch, _ reason: DropReason, _ error: ICMPError, _ now: Instant
  ) {
    drop(index, of: &batch, reason)
    guard let header = IPHeader(reading: batch.bytes(index)), errorBudget.take(at: now) else { return }
    guard let reply = replies.append(error, about: batch.bytes(index), from: header.destination) else {
      return
    }
    replies[reply].disposition = .deliver
  }
}
