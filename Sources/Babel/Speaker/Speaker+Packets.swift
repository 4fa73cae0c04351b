internal import Net
internal import OrderedCollections

extension Speaker {
  /// Sends a few messages at once, in a packet of their own.
  mutating func send(_ messages: [TLV], to id: NeighbourID, isUnicast: Bool = false) {
    guard let neighbour = neighbourTable[id], neighbour.isUp else { return }
    var writer = PacketWriter(
      limit: neighbour.settings.packetLimit, source: neighbour.settings.ourLinkLocal)
    for message in messages { _ = writer.append(message) }
    guard let packet = writer.finishPacket() else { return }
    depart(packet, to: id, destination: isUnicast ? neighbour.linkLocals.last : nil)
  }

  /// Sends a finished packet to the neighbour's address, or to ff02::1:6.
  mutating func depart(
    _ packet: PacketWriter.Packet, to id: NeighbourID, destination: IPv6Address? = nil
  ) {
    guard let settings = neighbourTable[id]?.settings else { return }
    var packet = packet
    if !settings.keys.isEmpty, let counter = neighbourTable[id]?.authentication.next(using: &random) {
      packet.append(counter)
    }
    emit(
      .send(
        to: id,
        OutgoingPacket(
          packet, from: settings.ourLinkLocal, to: destination ?? .babelGroup, clock: clock,
          keys: settings.keys)))
  }
}
