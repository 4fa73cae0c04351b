internal import Net
internal import OrderedCollections

extension Speaker {
  /// Sends a few messages at once, in a packet of their own.
  mutating func send(_ messages: [TLV], to id: NeighbourID, isUnicast: Bool = false) {
    guard let neighbour = neighbourTable[id], neighbour.isUp else { return }
    var writer = PacketWriter(
      limit: neighbour.settings.payloadLimit, source: neighbour.settings.ourLinkLocal)
    for message in messages { _ = writer.append(message) }
    guard let packet = writer.finishPacket() else { return }
    depart(packet, to: id, isUnicast: isUnicast)
  }

  /// Sends a finished packet.
  mutating func depart(_ packet: PacketWriter.Packet, to id: NeighbourID, isUnicast: Bool = false) {
    guard let neighbour = neighbourTable[id] else { return }
    let destination = isUnicast ? neighbour.linkLocals.last : nil
    emit(.send(to: id, OutgoingPacket(packet, to: destination ?? .babelGroup, clock: clock)))
  }
}
