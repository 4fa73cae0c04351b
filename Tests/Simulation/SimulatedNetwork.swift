public import Mesh
public import Net
import Noise

/// Hosts, the links between them, and one clock: everything follows from the seed.
///
/// Read `run(until:)` first. A control turn follows the news of a lane after up to `controlDelay`, as two threads would.
public final class SimulatedNetwork {
  /// One direction of a link.
  public struct Direction: Hashable, Sendable {
    /// The host that sends.
    public var from: Int
    /// The host that receives.
    public var to: Int

    /// Makes a direction.
    public init(from: Int, to: Int) {
      self.from = from
      self.to = to
    }
  }

  /// One direction of the way between two addresses.
  public struct Wire: Hashable, Sendable {
    /// Where it begins.
    public var from: Endpoint
    /// Where it ends.
    public var to: Endpoint

    /// Makes a direction.
    public init(from: Endpoint, to: Endpoint) {
      self.from = from
      self.to = to
    }
  }

  struct Datagram {
    var octets: [UInt8]
    var source: Endpoint
    var destination: Endpoint
    var ecn: UInt8
    /// The host it was sent to, whether or not it is still there.
    var host: Int
  }

  enum Event {
    case arrival(Datagram)
    case turn(host: Int)
  }

  /// What made the run.
  public let seed: UInt64
  /// The hosts, by number.
  public let hosts: [SimulatedHost]
  /// The underlay.
  public var links: [Direction: LinkQuality] = [:]
  /// Ways between two addresses that are not like the link between their hosts.
  public var wires: [Wire: LinkQuality] = [:]
  /// The longest time between a lane's news and the control thread's turn.
  public var controlDelay: Duration = .microseconds(50)
  /// The present.
  public private(set) var now = Instant(nanoseconds: 1_000_000_000)
  /// What has happened.
  public private(set) var trace = Trace()
  /// Broken invariants, in words.
  public internal(set) var violations: [String] = []
  /// Hosts that do not keep the rules; loops that they cause are no violations.
  var liars: Set<Int> = []
  /// What they have announced, be it theirs or not.
  var falsePrefixes: Set<IPPrefix> = []
  /// How many changed next hops were followed.
  public internal(set) var followedCount = 0
  /// Sees every datagram when it is sent: an eavesdropper.
  public var tap: ((_ from: Int, _ to: Int, _ datagram: [UInt8]) -> Void)?

  /// By host, then by destination: the host that packets go to.
  var nextHops: [[Int?]]
  /// The hosts' numbers; only looked up.
  let numbers: [PublicKey: Int]
  /// Watches metrics, if anybody does.
  var riseCounter: RiseCounter?
  private var queue = EventQueue<Event>()
  private var random: SplitMix64
  private static let wallEpoch: Int64 = 1_700_000_000_000_000_000

  /// Hosts without links and without daemons.
  public init(hostCount: Int, seed: UInt64) {
    self.seed = seed
    var random = SplitMix64(seed: seed)
    hosts = (0..<hostCount).compactMap { number in
      PrivateKey.generate(using: &random).map { SimulatedHost(number: number, privateKey: $0) }
    }
    precondition(hosts.count == hostCount, "no guarded memory for \(hostCount) keys")
    numbers = Dictionary(uniqueKeysWithValues: hosts.map { ($0.publicKey, $0.number) })
    nextHops = Array(repeating: Array(repeating: nil, count: 2 * hostCount), count: hostCount)
    self.random = random
  }

  // MARK: Building

  /// Makes two hosts peers, with a link between them.
  public func connect(_ a: Int, _ b: Int, _ quality: LinkQuality = LinkQuality()) {
    link(a, b, quality)
    hosts[a].configuration.peers.append(hosts[b].peerSettings())
    hosts[b].configuration.peers.append(hosts[a].peerSettings())
  }

  /// Makes a link between two hosts in the underlay.
  public func link(_ a: Int, _ b: Int, _ quality: LinkQuality = LinkQuality()) {
    links[Direction(from: a, to: b)] = quality
    links[Direction(from: b, to: a)] = quality
  }

  /// Gives a host one more address, before those are made peers that are to know it.
  @discardableResult
  public func addEndpoint(to host: Int, _ family: AddressFamily = .v4) -> Endpoint {
    let network = UInt8(hosts[host].otherEndpoints.count + 1)
    let address: IPAddress =
      switch family {
      case .v4: .v4(IPv4Address(198, 18, network, UInt8(truncatingIfNeeded: host + 1)))
      case .v6: .v6(IPv6Address(high: 0x2001_0DB8 << 32 | UInt64(network), low: UInt64(host) + 1))
      }
    let endpoint = Endpoint(address: address, port: hosts[host].endpoint.port)
    hosts[host].otherEndpoints.append(endpoint)
    return endpoint
  }

  /// Changes both directions of the way between two addresses.
  public func wire(_ a: Endpoint, _ b: Endpoint, _ quality: LinkQuality) {
    wires[Wire(from: a, to: b)] = quality
    wires[Wire(from: b, to: a)] = quality
  }

  /// Puts a NAT before a host.
  public func translate(_ host: Int) {
    hosts[host].translation = .init(
      mapping: Endpoint(
        address: .v4(IPv4Address(198, 51, 100, UInt8(truncatingIfNeeded: host + 1))), port: 40_000))
  }

  /// The NAT forgets its mapping and makes another one.
  public func forgetTranslation(of host: Int) {
    guard let old = hosts[host].translation else { return }
    hosts[host].translation = .init(
      mapping: Endpoint(address: old.mapping.address, port: old.mapping.port + 1))
  }

  /// Moves a host to another address in the underlay; nothing is told to anybody.
  public func move(_ host: Int) {
    hosts[host].endpoint.port += 1
  }

  /// Changes a host's configuration before its start.
  public func configure(_ host: Int, _ change: (inout Configuration) -> Void) {
    change(&hosts[host].configuration)
  }

  // MARK: Daemons

  /// Starts every host's daemon.
  public func start() {
    for host in hosts { start(host.number) }
  }

  /// Starts a host's daemon with what is on its disk.
  public func start(_ number: Int) {
    let host = hosts[number]
    let epoch = Self.wallEpoch + host.clockOffset.nanoseconds
    host.startedAt = now
    host.daemon = SimulatedDaemon(
      state: host.disk, epoch: epoch, random: SplitMix64(seed: random.next()))
    if riseCounter != nil { host.daemon?.observe(at: now) }
    host.daemon?.handle(.configure(host.configuration), at: now)
    riseCounter?.originReturned(number)
    settle(number)
  }

  /// Ends a host's daemon, with its farewells or as by a power failure.
  public func stop(_ number: Int, gracefully: Bool = false) {
    if gracefully { handle(.shutdown, at: number) }
    hosts[number].daemon = nil
    hosts[number].wakeUp = .distantFuture
    riseCounter?.originLeft(number)
    note(number)
  }

  /// Loses what a host's disk holds.
  public func eraseDisk(of host: Int) {
    hosts[host].disk = nil
  }

  /// Changes the configuration of a running daemon.
  public func reconfigure(_ number: Int, _ change: (inout Configuration) -> Void) {
    change(&hosts[number].configuration)
    handle(.configure(hosts[number].configuration), at: number)
  }

  /// Gives a node an input.
  public func handle(_ input: Node<SplitMix64>.Input, at number: Int) {
    hosts[number].daemon?.handle(input, at: now)
    settle(number)
  }

  /// The host sends a packet into its TUN device.
  public func send(_ packet: [UInt8], from number: Int) {
    hosts[number].daemon?.send(packet, at: now)
    settle(number)
  }

  /// Puts a datagram on the wire to a host, from anywhere.
  public func inject(_ datagram: [UInt8], from source: Endpoint, to number: Int) {
    let destination = hosts[number].publicEndpoint
    queue.insert(
      .arrival(
        Datagram(octets: datagram, source: source, destination: destination, ecn: 0, host: number)),
      at: now)
  }

  /// Seals a packet for a peer as a node that does not keep the rules would, and sends it.
  public func seal(_ packet: [UInt8], from number: Int, to peer: Int) {
    guard let id = hosts[number].daemon?.id(of: hosts[peer].publicKey) else { return }
    hosts[number].daemon?.seal(packet, to: id, at: now)
    settle(number)
  }

  // MARK: Time

  /// Lets the clock run.
  public func run(for duration: Duration) {
    run(until: now.advanced(by: duration))
  }

  /// Lets the clock run to `end`, or until `condition` holds; whether it does.
  @discardableResult
  public func run(until end: Instant, while condition: () -> Bool = { true }) -> Bool {
    while condition() {
      guard let next = queue.first, next <= end, let (instant, event) = queue.popFirst() else {
        now = end
        return false
      }
      now = instant
      switch event {
      case .arrival(let datagram): arrive(datagram)
      case .turn(let host): turn(host)
      }
    }
    return true
  }

  private func turn(_ number: Int) {
    let host = hosts[number]
    // A turn that came earlier has made this one superfluous.
    guard host.wakeUp <= now else { return }
    host.wakeUp = .distantFuture
    host.daemon?.turn(at: now)
    settle(number)
  }

  private func schedule(_ number: Int, at instant: Instant) {
    guard instant < hosts[number].wakeUp else { return }
    hosts[number].wakeUp = max(instant, now)
    queue.insert(.turn(host: number), at: max(instant, now))
  }

  /// Carries out what a host's daemon did.
  private func settle(_ number: Int) {
    let host = hosts[number]
    guard let daemon = host.daemon else { return }
    let effects = daemon.takeEffects()
    if let state = effects.persisted { host.disk = state }
    if riseCounter != nil {
      for change in daemon.takeChanges() { riseCounter?.note(change, at: number) }
    }
    host.events += effects.events
    if effects.isTableNew { note(number) }
    for departure in effects.departures { transmit(departure, from: number) }
    for packet in effects.deliveries {
      trace.note(now, node: number, packet)
      host.deliveries.append(SimulatedHost.Delivery(instant: now, packet: packet))
    }
    if effects.isControlCalled {
      schedule(number, at: now.advanced(by: random.duration(below: controlDelay)))
    }
    let deadline = daemon.node.nextDeadline
    if deadline != .distantFuture { schedule(number, at: deadline) }
  }

  // MARK: Underlay

  private func transmit(_ departure: SimulatedDaemon.Departure, from number: Int) {
    let remote = departure.path.remote
    guard let target = hosts.firstIndex(where: { $0.isAt(remote) }) else { return }
    let source = hosts[number].source(along: departure.path)
    hosts[number].translation?.remotes.insert(remote)
    tap?(number, target, departure.octets)
    trace.note(now, node: number, departure.octets)
    guard let link = wires[Wire(from: source, to: remote)] ?? links[Direction(from: number, to: target)]
    else { return }
    for delay in link.arrivals(using: &random) {
      queue.insert(
        .arrival(
          Datagram(
            octets: departure.octets, source: source, destination: remote,
            ecn: departure.ecn, host: target)),
        at: now.advanced(by: delay))
    }
  }

  private func arrive(_ datagram: Datagram) {
    let host = hosts[datagram.host]
    guard host.isAt(datagram.destination) else { return }
    if let translation = host.translation, !translation.remotes.contains(datagram.source) { return }
    let isOther = host.otherEndpoints.contains(datagram.destination)
    let local = isOther ? datagram.destination.address : host.endpoint.address
    let path = Path(remote: datagram.source, local: local, interface: 2)
    host.daemon?.receive(datagram.octets, along: path, ecn: datagram.ecn, at: now)
    settle(datagram.host)
  }
}
