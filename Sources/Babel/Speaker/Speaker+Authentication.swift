internal import Net
internal import OrderedCollections

// RFC 8967 adds nothing to WireGuard's authentication, but a stock peer may insist on it.
extension Speaker {
  /// Whether a packet may be looked at: no key is configured, or its MAC is ours and its counter fresh (§4.3).
  ///
  /// Challenges are sent and answered here.
  mutating func isAuthentic(
    _ payload: RawSpan, from id: NeighbourID, source: IPv6Address, isUnicast: Bool, at now: Instant
  ) -> Bool {
    guard let settings = neighbourTable[id]?.settings, !settings.keys.isEmpty else { return true }
    guard let tlvs = AuthenticationTLVs(payload), !tlvs.macs.isEmpty else { return false }
    let message = AuthenticationTLVs.message(
      from: source, to: isUnicast ? settings.ourLinkLocal : .babelGroup,
      payload.extracting(0..<tlvs.coveredCount))
    guard settings.keys.contains(where: { $0.verify(message, tlvs.macs) }) else { return false }
    // One that was multicast asks nobody in particular (§4.3.1.2).
    if isUnicast, let nonce = tlvs.request, neighbourTable[id]?.authentication.mayReply(at: now) == true {
      send(TLVType.challengeReply, nonce, to: id, source)
    }
    guard let counter = tlvs.counter else { return false }
    let finding = neighbourTable[id]?.authentication.check(
      counter, replies: tlvs.replies, isUnicast: isUnicast, at: now)
    switch finding {
    case .fresh: return true
    case .replayed, nil: return false
    case .unknown:
      if let nonce = neighbourTable[id]?.authentication.challenge(at: now, using: &random) {
        send(TLVType.challengeRequest, nonce, to: id, source)
      }
      return false
    }
  }

  private mutating func send(
    _ type: UInt8, _ nonce: [UInt8], to id: NeighbourID, _ destination: IPv6Address
  ) {
    guard let settings = neighbourTable[id]?.settings else { return }
    var writer = PacketWriter(limit: settings.packetLimit, source: settings.ourLinkLocal)
    writer.append(type, nonce)
    if let packet = writer.finishPacket() { depart(packet, to: id, destination: destination) }
  }
}
