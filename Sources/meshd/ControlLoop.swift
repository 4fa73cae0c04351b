import Logging
import Mesh
import Net
import Noise
import SystemPackage
import Tun

/// The control thread: everything that happens becomes an input of the node, and what the node wants is carried out.
///
/// One turn: take the news, hand them to the node, advance it, then carry out its outputs in their order.
struct ControlLoop: ~Copyable {
  /// How often one turn tries other paths for what could not be sent.
  private static var detourLimit: Int { 4 }

  let options: DaemonOptions
  let plane: DataPlane
  let clock = SystemClock()
  let logger: Logger

  var node: Node<SystemRandomNumberGenerator>
  var configuration: Configuration
  var host: HostNetwork?
  var server: UAPIServer
  var babelMonitor: MonitorServer
  var names: NameResolution
  var checks: HealthChecks
  var hostRoutes: HostRoutes
  private var uplinks: HostUplinks
  var egress: ControlEgress
  var table: ForwardingTable
  /// Where preshared keys from files and requests lie: one locked page for many.
  let arena = SecretArena()
  let store: StateStore
  private let signals: SignalSource
  private var socketFile: FileWatcher?
  private var monitor: NetlinkMonitor
  var poller: Poller<ControlToken>
  private(set) var isEnding = false
  var isListening = true
  private var offloads = OffloadReport()
  private var isStateSaved = true
  private var savedHighWaterMark: Timestamp?
  /// When the lanes, too, have all begun, and what only the start needed can go.
  private var endOfStart = Instant.distantFuture

  /// What the loop is made of; the daemon has opened all of it.
  init(
    options: DaemonOptions, plane: DataPlane, logger: Logger, configuration: Configuration,
    host: consuming HostNetwork?, server: consuming UAPIServer, babelMonitor: consuming MonitorServer,
    signals: consuming SignalSource,
    socketFile: consuming FileWatcher?, socket: UDPSocket
  ) throws {
    let names = try NameResolution()
    let checks = try HealthChecks(tunnel: plane.tun.index)
    let egress = try ControlEgress(socket)
    let monitor = try NetlinkMonitor()
    let poller = try Poller<ControlToken>()
    try poller.add(babelMonitor.descriptor, as: .babelMonitor)
    try poller.add(plane.control.descriptor, as: .lanes)
    try poller.add(plane.opener.results.descriptor, as: .openings)
    try poller.add(signals.descriptor, as: .signals)
    if let descriptor = server.descriptor { try poller.add(descriptor, as: .listener) }
    try poller.add(monitor.descriptor, as: .network)
    try poller.add(names.descriptor, as: .names)
    try poller.add(checks.descriptor, as: .checks)
    if let descriptor = socketFile?.descriptor { try poller.add(descriptor, as: .socketFile) }

    self.options = options
    self.plane = plane
    self.logger = logger
    self.configuration = configuration
    self.host = host
    self.server = server
    self.signals = signals
    self.socketFile = socketFile
    self.names = names
    self.checks = checks
    hostRoutes = HostRoutes(tunnel: plane.tun.index)
    uplinks = HostUplinks(tunnel: plane.tun.index)
    self.egress = egress
    self.babelMonitor = babelMonitor
    self.monitor = monitor
    self.poller = poller
    table = .empty
    store = StateStore(directory: FilePath(options.stateDirectory), interface: plane.tun.name.text)
    node = Node(
      state: store.load(), epoch: clock.wallNanoseconds - clock.now.nanoseconds,
      random: SystemRandomNumberGenerator())
  }

  /// Puts the first configuration in force.
  mutating func start() {
    updateLink()
    refreshNetworks()
    followUplinks(at: clock.now)
    apply(configuration)
    finishTurn()
  }

  /// Runs until a signal, a command, the deletion of the socket or of the device ends the daemon.
  mutating func run() throws {
    endOfStart = clock.now.advanced(by: .seconds(1))
    while !isEnding {
      try poller.wait(atMost: timeout)
      let events = poller.events
      for event in events { take(event) }
      let now = clock.now
      if node.nextDeadline <= now { node.advance(to: now) }
      followUplinks(at: now)
      resolveNames(at: now)
      readHostRoutes(at: now)
      runChecks(at: now)
      finishTurn()
      if endOfStart <= now { releaseStart() }
    }
  }

  private mutating func releaseStart() {
    endOfStart = .distantFuture
    // A larger daemon is as good as a smaller one.
    try? ProcessMemory.releaseProgram()
  }

  private var timeout: Duration? {
    let now = clock.now
    let deadline = min(
      node.nextDeadline, names.deadline(now: now),
      checks.deadline, hostRoutes.deadline, uplinks.deadline)
    return deadline == .distantFuture ? nil : max(.zero, now.duration(to: deadline))
  }

  private mutating func take(_ event: Poller<ControlToken>.Event) {
    switch event.token {
    case .lanes: drainLanes()
    case .openings:
      let now = clock.now
      for result in plane.opener.takeResults() { node.handle(.opened(result), at: now) }
    case .signals: takeSignals()
    case .listener: acceptClients()
    case .socketFile:
      if (try? socketFile?.isRemoved()) ?? false { end(because: "the UAPI socket was removed") }
    case .network: takeNetworkNews()
    case .names, .checks: break
    case .babelMonitor: serveBabelMonitors()
    case .client(let token): serve(token)
    }
  }

  /// The way to end a WireGuard daemon is to delete its socket (1.2.41).
  private mutating func lookAfterSocket() {
    guard (try? socketFile?.isRemoved()) ?? false else { return }
    server.abandonSocket()
    end(because: "the UAPI socket was removed")
  }

  /// Makes this turn the last one.
  mutating func end(because reason: String) {
    logger.info("ending", metadata: ["reason": "\(reason)"])
    isEnding = true
  }

  private mutating func takeSignals() {
    while let signal = try? signals.next() {
      switch signal {
      case .hangUp: reloadAfterSignal()
      case .interrupt, .terminate: end(because: "a signal came")
      case .user1: break
      }
    }
  }

  private mutating func drainLanes() {
    plane.control.clear()
    let now = clock.now
    var isMore = false
    for link in plane.links {
      var events: [DataPlaneEvent] = []
      isMore = link.events.drain { events.append($0) } || isMore
      for event in events { node.handle(.event(event), at: now) }
      for trouble in link.takeTroubles() { node.handle(Node.Input(trouble), at: now) }
      if link.isDeviceGone { end(because: "the TUN device was deleted") }
    }
    // What is left comes after the clients and timers of this turn have had theirs.
    if isMore { plane.control.signal() }
  }

  private mutating func reportOffloads() {
    var sockets = plane.sockets.reader()
    offloads.update(Offloads(plane.tun, sockets.current()), to: logger)
  }

  private mutating func takeNetworkNews() {
    var isLinkNew = false
    var isOverrun = false
    let now = clock.now
    while let events = try? monitor.next() {
      for event in events {
        hostRoutes.hear(event)
        uplinks.hear(event, at: now)
        switch event {
        case .overrun: isOverrun = true
        case .change(.link(let link)):
          isLinkNew = true
          if !link.isRunning { node.handle(.interfaceDown(link.index), at: now) }
        case .change(.linkRemoved(let link)):
          isLinkNew = true
          node.handle(.interfaceDown(link.index), at: now)
        case .change(.address), .change(.addressRemoved): isLinkNew = true
        case .change(.routeRemoved(let route)): host?.routeVanished(route)
        case .change: break
        }
      }
    }
    if isLinkNew || isOverrun {
      updateLink()
      refreshNetworks()
    }
    if isOverrun { host?.resynchronise() }
  }

  /// Tells the node how the interface is: others may set it up or down, and give it another MTU or addresses.
  private mutating func updateLink() {
    let index = plane.tun.index
    guard var netlink = try? Netlink(), let link = try? netlink.link(index) else { return }
    let now = clock.now
    node.handle(.link(isUp: link.isUp), at: now)
    if link.mtu > 0 { node.handle(.mtu(Int(link.mtu)), at: now) }
    guard let addresses = try? netlink.addresses() else { return }
    let ours = addresses.filter { $0.interface == index && !$0.address.isLinkLocal }.map(\.address)
    node.handle(.addresses(ours), at: now)
  }

  /// Plain WireGuard leads into the tunnel what its file says, whatever is on the link.
  private mutating func refreshNetworks() {
    if configuration.interface.babel { host?.refreshNetworks() }
  }

  /// Tells the node of new uplinks, and when the way to its peers may be another.
  private mutating func followUplinks(at now: Instant) {
    if let ways = uplinks.read(at: now) {
      node.handle(
        .uplinks(ways.uplinks, maximumMTU: ways.maximumMTU, hasIPv6: ways.hasIPv6), at: now)
    }
    guard uplinks.takeChange(at: now) else { return }
    names.renew(at: now)
    node.handle(.networkChanged, at: now)
  }

  private mutating func resolveNames(at now: Instant) {
    do {
      for answer in try names.proceed(at: now) {
        if let failure = answer.failure {
          logger.warning(
            "endpoint not resolved", metadata: ["endpoint": "\(answer.source)", "reason": "\(failure)"])
        }
        guard !answer.endpoints.isEmpty else { continue }
        node.handle(.resolved(answer.source, answer.endpoints), at: now)
      }
    } catch {
      logger.warning("resolver failed", metadata: ["reason": "\(error)"])
    }
  }

  /// Carries out what the node wants, in its order: the table before the datagrams that depend on it.
  mutating func finishTurn() {
    carryOut()
    // What the kernel refuses may go along another path at once; a path that is as bad as the last waits for the next turn.
    for _ in 0..<Self.detourLimit {
      let troubles = egress.takeTroubles()
      guard !troubles.isEmpty else { break }
      for trouble in troubles { node.handle(Node.Input(trouble), at: clock.now) }
      carryOut()
    }
    flushFollowers()
    reportOffloads()
    for complaint in host?.takeComplaints() ?? [] { logger.warning("\(complaint)") }
  }

  private mutating func carryOut() {
    var openings: [Opening] = []
    while let output = node.poll() {
      switch output {
      case .publish(let table):
        egress.flush()
        self.table = table
        plane.publish(table)
      case .open(let opening): openings.append(opening)
      case .datagram(let message, let path, let peer): egress.send(message, along: path, to: peer)
      case .seal(let packet, let peer): egress.seal(packet, to: peer, table: table)
      case .speak(let packet, let peer): egress.seal(packet.octets(at: clock.now), to: peer, table: table)
      case .probe(let packet, let peer, let path, let mayFragment):
        egress.probe(packet, to: peer, along: path, mayFragment: mayFragment, table: table)
      case .hostPrefixesChanged(let added, let removed): host?.change(added: added, removed: removed)
      case .underlayChanged(let addresses):
        host?.setUnderlay(addresses)
        uplinks.setUnderlay(addresses)
      case .persist(let state): save(state)
      case .change(let change): tell(.table(change))
      case .event(let event):
        event.log(to: logger)
        tell(.node(event))
      }
    }
    plane.opener.open(openings)
    egress.flush()
  }

  private mutating func save(_ state: PersistentState) {
    // A sequence number that a power failure takes away is learned back from the neighbours, and while the disk is busy they
    // would have to wait for us; a timestamp must never be used twice.
    let isDurable = state.highWaterMark != savedHighWaterMark
    do {
      try store.save(state, isDurable: isDurable)
      savedHighWaterMark = state.highWaterMark
      isStateSaved = true
    } catch {
      // Once, not with every handshake: on a read-only root it never will be.
      guard isStateSaved else { return }
      isStateSaved = false
      logger.warning(
        "the state could not be saved; after a restart peers may refuse handshakes for a minute",
        metadata: ["reason": "\(options.stateDirectory): \(error)"])
    }
  }

  /// Says farewell to the neighbours and takes back what was made.
  mutating func finish() {
    node.handle(.shutdown, at: clock.now)
    finishTurn()
    // The farewell goes out twice (RFC 8966 §3.5.4: some redundancy), the second time when the first has been heard.
    let end = clock.now.advanced(by: .milliseconds(60))
    while clock.now < end {
      try? poller.wait(atMost: min(.milliseconds(20), clock.now.duration(to: end)))
      node.advance(to: clock.now)
      finishTurn()
    }
    host?.tearDown()
    server.removeSocket()
    try? babelMonitor.listen(at: [])
  }
}

extension Node.Input {
  /// What the kernel said to a datagram.
  fileprivate init(_ trouble: LaneLink.Trouble) {
    switch trouble {
    case .staleSource(let peer, let path): self = .staleSource(peer, path)
    case .unreachable(let peer, let path): self = .unreachable(peer, path)
    case .icmp(let remote, let error): self = .icmp(remote, error)
    }
  }
}
