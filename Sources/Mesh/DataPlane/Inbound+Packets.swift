internal import Net

extension Inbound {
  /// Decides about an authentic, new packet that is no keepalive; whether it is a packet of a host, not one of routing.
  internal mutating func classify(
    _ index: Int, _ order: PacketOrder, of batch: inout PacketBatch, from id: PeerID, _ peer: PeerEntry,
    _ table: ForwardingTable, _ now: Instant
  ) -> Bool {
    batch[index].peer = id.rawValue
    guard let header = IPHeader(reading: batch.bytes(index)) else {
      drop(index, of: &batch, .malformed)
      return false
    }
    if peer.speaksBabel, header.source.isLinkScoped || header.destination.isLinkScoped {
      takeLinkLocal(index, header, order, of: &batch, from: id, table, now)
      return false
    }
    take(index, header, of: &batch, from: id, peer, table, now)
    return true
  }

  /// Decides about a packet of a host.
  private mutating func take(
    _ index: Int, _ header: IPHeader, of batch: inout PacketBatch, from id: PeerID, _ peer: PeerEntry,
    _ table: ForwardingTable, _ now: Instant
  ) {
    guard let ecn = ECN.decapsulate(inner: header.ecn, outer: batch[index].ecn) else {
      drop(index, of: &batch, .congestion)
      return
    }
    guard admitSource(index, header, of: &batch, from: id, peer, table, now) else { return }
    // Errors quote the packet as it came, so it is changed only from here on.
    switch disposition(of: header, table) {
    case .deliver:
      batch[index].length = UInt32(header.totalLength)
      batch[index].disposition = .deliver
    case .relay(let next):
      guard relay(index, header, of: &batch, to: next, from: id, table, now) else { return }
      batch[index].ecn = ECN.encapsulate(ecn)
    case .refuse(let reason, let error):
      drop(index, of: &batch, reason)
      if let error { reply(error, about: index, header, of: batch, to: id, table, now) }
      return
    }
    if header.opensConnection(batch.bytes(index)) {
      // What is offered limits what comes back, along the way that this packet took.
      let onward = batch[index].disposition == .relay ? limit.octets : .max
      var octets = batch.mutableBytes(index)
      octets.clampMSS(header, mtu: min(table.mtu(of: peer), onward))
    }
    if ecn != header.ecn {
      var octets = batch.mutableBytes(index)
      octets.setECN(ecn)
    }
  }

  /// Link-local traffic of a peer that speaks Babel stays in this process (`babel.md` §5): Babel goes up, the
  /// rest dies.
  private func takeLinkLocal(
    _ index: Int, _ header: IPHeader, _ order: PacketOrder, of batch: inout PacketBatch, from id: PeerID,
    _ table: ForwardingTable, _ now: Instant
  ) {
    guard BabelDatagram.matches(batch.bytes(index), header, linkLocal: table.settings.linkLocal) else {
      drop(index, of: &batch, .linkLocal)
      return
    }
    batch[index].length = UInt32(header.totalLength)
    let place = batch[index].path
    let path = place == PacketBatch.Slot.noPath ? nil : batch.path(place)
    guard events.postControl(batch.bytes(index), from: id, along: path, at: now, order) else {
      drop(index, of: &batch, .controlQueueFull)
      return
    }
    batch[index].disposition = .done
  }

  /// Whether the packet may have its source; drops it if not.
  private mutating func admitSource(
    _ index: Int, _ header: IPHeader, of batch: inout PacketBatch, from id: PeerID, _ peer: PeerEntry,
    _ table: ForwardingTable, _ now: Instant
  ) -> Bool {
    guard let reason = table.refusal(of: header.source, to: header.destination, from: id, peer) else {
      return true
    }
    // A router on the way sends errors from whatever address it has; without them path MTU discovery fails.
    let isExempt =
      reason != .martianSource && peer.speaksBabel && ICMPError.isError(batch.bytes(index), header)
      && exemptions.take(at: now)
    if isExempt { return true }
    peer.activity.noteRefusedSource()
    drop(index, of: &batch, reason)
    return false
  }

  private enum Disposition {
    case deliver
    case relay(PeerID)
    case refuse(DropReason, ICMPError?)
  }

  /// What the destination asks for.
  private func disposition(of header: IPHeader, _ table: ForwardingTable) -> Disposition {
    // Multicast is never forwarded; the host joins what it wants.
    if table.settings.transit == .kernel || header.destination.isMulticast { return .deliver }
    let target = table.allowedIPs.target(for: header.destination, from: header.source)
    switch (target, table.settings.transit) {
    case (.local, _): return .deliver
    case (.none, .process): return .deliver
    case (.peer(let next), .process): return header.destination.isLinkLocal ? .deliver : .relay(next)
    case (.unreachable, .process): return .refuse(.unreachable, .noRoute)
    case (_, .off), (_, .kernel): return .refuse(.transitRefused, .prohibited)
    }
  }

  /// Prepares a packet for `Outbound.relay`: lowers the TTL and chooses the length; or refuses it, and
  /// returns `false`.
  private mutating func relay(
    _ index: Int, _ header: IPHeader, of batch: inout PacketBatch, to next: PeerID, from id: PeerID,
    _ table: ForwardingTable, _ now: Instant
  ) -> Bool {
    guard header.hopLimit > 1 else {
      drop(index, of: &batch, .hopLimitExceeded)
      reply(.hopLimitExceeded, about: index, header, of: batch, to: id, table, now)
      return false
    }
    limit.turn(to: next, in: table)
    let mtu = limit.octets
    guard header.totalLength <= mtu || PeerMTU.mayBeFragmented(header, batch.bytes(index)) else {
      drop(index, of: &batch, .tooBig)
      reply(PeerMTU.error(mtu, about: header), about: index, header, of: batch, to: id, table, now)
      return false
    }
    // The padding that came is kept as far as it is ours to send; none is added, since the next packet of a GRO train
    // begins right behind the tag.
    let padded = PacketBatch.paddedLength(header.totalLength, mtu: mtu)
    batch[index].length = min(batch[index].length, UInt32(padded))
    batch[index].peer = next.rawValue
    batch[index].disposition = .relay
    var octets = batch.mutableBytes(index)
    octets.decrementHopLimit()
    return true
  }

  /// Answers the packet in slot `index` with an ICMP error through the tunnel that it came by.
  private mutating func reply(
    _ error: ICMPError, about index: Int, _ header: IPHeader, of batch: borrowing PacketBatch, to id: PeerID,
    _ table: ForwardingTable, _ now: Instant
  ) {
    guard let source = table.errorSource(header.source.family), errorBudget.take(at: now),
      let reply = replies.append(error, about: batch.bytes(index), from: source)
    else { return }
    replies.pad(reply, mtu: table.peer(id).map { table.mtu(of: $0) } ?? table.settings.mtu)
    replies[reply].peer = id.rawValue
    replies[reply].disposition = .relay
  }
}
