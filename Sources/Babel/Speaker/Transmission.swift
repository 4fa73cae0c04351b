internal import Net

/// The packets of one moment to one neighbour, under construction.
struct Transmission {
  /// How soon the neighbour shall acknowledge.
  static let acknowledgmentInterval = Interval(centiseconds: 10)

  private var writer: PacketWriter
  private var opaque: UInt16
  private var items: [Neighbour.Unacknowledged.Item] = []
  private var asksForAcknowledgment = false
  /// Finished packets.
  private(set) var packets: [PacketWriter.Packet] = []
  /// What the acknowledgment of each number would confirm.
  private(set) var unacknowledged: [(opaque: UInt16, items: [Neighbour.Unacknowledged.Item])] = []

  init(to settings: NeighbourSettings, opaque: UInt16) {
    writer = PacketWriter(limit: settings.packetLimit, source: settings.ourLinkLocal)
    self.opaque = opaque
  }

  /// The number of the next acknowledgment request.
  var nextOpaque: UInt16 { asksForAcknowledgment ? opaque &+ 1 : opaque }

  /// Adds a message to the packet, or to the next one if it is full.
  mutating func append(_ message: TLV) {
    guard !writer.append(message) else { return }
    close()
    _ = writer.append(message)
  }

  /// Adds an update to a packet that asks for acknowledgment.
  mutating func append(_ update: Update, confirming item: Neighbour.Unacknowledged.Item) {
    let request = TLV.acknowledgmentRequest(opaque: opaque, interval: Self.acknowledgmentInterval)
    if !asksForAcknowledgment { asksForAcknowledgment = writer.append(request) }
    if !asksForAcknowledgment || !writer.append(.update(update)) {
      close()
      let next = TLV.acknowledgmentRequest(opaque: opaque, interval: Self.acknowledgmentInterval)
      asksForAcknowledgment = writer.append(next)
      _ = writer.append(.update(update))
    }
    items.append(item)
  }

  /// Ends the last packet.
  mutating func close() {
    if asksForAcknowledgment {
      if !items.isEmpty { unacknowledged.append((opaque, items)) }
      items = []
      asksForAcknowledgment = false
      opaque &+= 1
    }
    if let packet = writer.finishPacket() { packets.append(packet) }
  }
}
