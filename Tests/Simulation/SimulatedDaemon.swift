public import Mesh
public import Net
public import Noise

/// One life of a node's daemon: the real node, the real transforms and tables, one egress and one ingress lane.
///
/// Driven as `meshd` drives them; only the devices are missing. What the daemon would write to them waits in `effects`.
public final class SimulatedDaemon {
  /// A datagram on its way out.
  public struct Departure {
    /// The datagram.
    public var octets: [UInt8]
    /// Its way.
    public var path: Path
    var ecn: UInt8
  }

  /// What a call made the daemon do, in order.
  public struct Effects {
    /// Datagrams for the network.
    public var departures: [Departure] = []
    var deliveries: [[UInt8]] = []
    var events: [NodeEvent] = []
    var persisted: PersistentState?
    var isTableNew = false
    /// Whether a lane has woken the control thread.
    public var isControlCalled = false
  }

  /// The node itself.
  public private(set) var node: Node<SplitMix64>
  /// The table the lanes use.
  public private(set) var table = ForwardingTable.empty
  /// The prefixes that the host uses.
  public private(set) var hostPrefixes: Set<HostPrefix> = []
  /// Where its own UDP packets go.
  public private(set) var underlay: [IPAddress] = []
  /// What the lanes dropped.
  public let drops = DropCounters()

  /// What an observer was told.
  public private(set) var changes: [TableChange] = []

  private let tables = Published(ForwardingTable.empty)
  private var egressTables: Published<ForwardingTable>.Reader
  private var ingressTables: Published<ForwardingTable>.Reader
  private let egressEvents = DataPlaneEvents(handshakeCapacity: 32, controlCapacity: 64, packetCapacity: 64)
  private let ingressEvents = DataPlaneEvents(handshakeCapacity: 32, controlCapacity: 64, packetCapacity: 64)
  private var egress: Outbound
  private var inbound: Inbound
  private var relay: Outbound
  private var control: Outbound
  private var batch = PacketBatch(bufferCount: 64, bufferCapacity: 2048)
  private var effects = Effects()

  /// Starts a daemon: with what an earlier one left, and the nanoseconds from 1970 to the clock's zero.
  public init(state: PersistentState?, epoch: Int64, random: SplitMix64) {
    node = Node(state: state, epoch: epoch, random: random)
    egressTables = tables.reader()
    ingressTables = tables.reader()
    egress = Outbound(events: egressEvents, drops: drops)
    inbound = Inbound(events: ingressEvents, drops: drops)
    relay = Outbound(events: ingressEvents, drops: drops)
    control = Outbound(events: DataPlaneEvents(handshakeCapacity: 1), drops: drops)
  }

  /// Gives the effects since the last call.
  public func takeEffects() -> Effects {
    defer { effects = Effects() }
    effects.isControlCalled = egressEvents.takeNews() || effects.isControlCalled
    effects.isControlCalled = ingressEvents.takeNews() || effects.isControlCalled
    return effects
  }

  /// Gives what an observer was told since the last call.
  func takeChanges() -> [TableChange] {
    defer { changes = [] }
    return changes
  }

  // MARK: Lanes

  /// The host sends a packet into the TUN device.
  func send(_ packet: [UInt8], at now: Instant) {
    batch.removeAll()
    guard batch.append(copying: packet.span.bytes) != nil else { return }
    egress.process(&batch, table: egressTables.current(), at: now)
    carryOut(batch)
    carryOut(egress.replies)
  }

  /// A datagram arrives at the socket.
  public func receive(_ datagram: [UInt8], along path: Path, ecn: UInt8, at now: Instant) {
    batch.removeAll()
    guard let index = batch.append(copying: datagram.span.bytes) else { return }
    batch[index].path = batch.append(path)
    batch[index].ecn = ecn
    let table = ingressTables.current()
    inbound.process(&batch, table: table, at: now)
    relay.relay(&batch, table: table, at: now)
    relay.relay(&inbound.replies, table: table, at: now)
    carryOut(batch)
    carryOut(inbound.replies)
  }

  private func carryOut(_ batch: borrowing PacketBatch) {
    for index in 0..<batch.count {
      let slot = batch[index]
      switch slot.disposition {
      case .send: depart(batch.bytes(index), along: batch.path(slot.path), ecn: slot.ecn)
      case .deliver: effects.deliveries.append(batch.bytes(index).octets)
      case .pending, .relay, .done: break
      }
    }
  }

  private func depart(_ datagram: RawSpan, along path: Path, ecn: UInt8) {
    effects.departures.append(Departure(octets: datagram.octets, path: path, ecn: ecn))
  }

  // MARK: The control thread

  /// An input from outside, and the turn it causes.
  public func handle(_ input: Node<SplitMix64>.Input, at now: Instant) {
    node.handle(input, at: now)
    finishTurn(at: now)
  }

  /// A turn of the control thread: the lanes' news, then what is due.
  public func turn(at now: Instant) {
    for events in [egressEvents, ingressEvents] {
      var news: [DataPlaneEvent] = []
      let isMore = events.drain { news.append($0) }
      for event in news { node.handle(.event(event), at: now) }
      if isMore { effects.isControlCalled = true }
    }
    if node.nextDeadline <= now { node.advance(to: now) }
    finishTurn(at: now)
  }

  private func finishTurn(at now: Instant) {
    while let output = node.poll() {
      switch output {
      case .publish(let table):
        self.table = table
        tables.publish(table)
        effects.isTableNew = true
      case .open(let opening): node.handle(.opened(opening.run()), at: now)
      case .datagram(let message, let path, _): depart(message.span.bytes, along: path, ecn: 0)
      case .seal(let packet, let peer): seal(packet, to: peer, at: now)
      case .probe(let packet, let peer, let path, let mayFragment):
        seal(packet, to: peer, along: path, size: mayFragment ? nil : packet.count, at: now)
      case .speak(let packet, let peer): seal(packet.octets(at: now), to: peer, at: now)
      case .hostPrefixesChanged(let added, let removed):
        hostPrefixes.subtract(removed)
        hostPrefixes.formUnion(added)
      case .underlayChanged(let addresses): underlay = addresses
      case .change(let change): changes.append(change)
      case .persist(let state): effects.persisted = state
      case .event(let event): effects.events.append(event)
      }
    }
  }
}

extension RawSpan {
  /// A copy of the octets.
  public var octets: [UInt8] { (0..<byteCount).map { byte($0) } }
}

// What the tables say, and what a liar does with them.
extension SimulatedDaemon {
  /// Begins to collect the changes of the tables that operators see.
  public func observe(at now: Instant) {
    node.setObserved(true, at: now)
  }

  /// Whom our packets to `destination` go to.
  func nextHop(to destination: IPAddress) -> PublicKey? {
    let source = table.settings.ownAddresses.first { $0.family == destination.family }
    let target = table.allowedIPs.target(for: destination, from: source ?? destination)
    guard case .peer(let id) = target else { return nil }
    return table.peer(id)?.publicKey
  }

  /// The id of a peer in the tables.
  public func id(of key: PublicKey) -> PeerID? {
    (0..<256 as Range<UInt32>).lazy.map { PeerID(rawValue: $0) }.first {
      self.table.peer($0)?.publicKey == key
    }
  }

  /// What the lanes know of a peer.
  public func entry(of key: PublicKey) -> PeerEntry? {
    id(of: key).flatMap { table.peer($0) }
  }

  /// Seals a packet for a peer, whatever the tables say about its addresses.
  func seal(_ packet: [UInt8], to peer: PeerID, along path: Path? = nil, size: Int? = nil, at now: Instant) {
    batch.removeAll()
    _ = control.seal(packet.span.bytes, to: peer, along: path, size: size, in: &batch, table: table, at: now)
    carryOut(batch)
  }
}
