import Logging
import Mesh
import Net
import Noise
import SystemPackage
import Tun

// What clients of the UAPI socket and SIGHUP ask for.
extension ControlLoop {
  /// Does what the request says and returns the answer.
  ///
  /// A request with an error in it changes nothing.
  mutating func answer(to text: String, from token: UInt64) -> String {
    var isOurs = false
    do throws(UAPIError) {
      let request = try UAPIRequest(text, in: arena)
      switch request {
      case .get:
        return UAPIResponse.get(status)
      case .set(let changes):
        try change(changes)
        return UAPIResponse.success
      case .command(let command):
        isOurs = true
        return try answer(to: command, from: token)
      }
    } catch {
      if !isOurs { logger.info("request refused", metadata: ["reason": "\(error)"]) }
      return UAPIResponse.failure(error, withMessage: isOurs)
    }
  }

  private mutating func answer(
    to command: UAPIRequest.MeshCommand, from token: UInt64
  ) throws(UAPIError) -> String {
    switch command {
    case .show: return UAPIResponse.show(status)
    case .view(let view, let form): return try answer(to: view, in: form, from: token)
    case .configuration: return UAPIResponse.configuration(configuration)
    case .reload(let path): try reload(path.map { FilePath($0) })
    case .down: end(because: "asked to")
    }
    return UAPIResponse.success
  }

  /// Begins to tell the client every event.
  private mutating func follow(_ token: UInt64, _ form: UAPIRequest.Form) -> String {
    server.follow(token, form)
    observe()
    let start = MonitorEvent.started
    let time = clock.wallNanoseconds
    return UAPIResponse.line(form == .json ? start.json(at: time) : start.text(at: time))
  }

  private mutating func answer(
    to view: UAPIRequest.View, in form: UAPIRequest.Form, from token: UInt64
  ) throws(UAPIError) -> String {
    let now = clock.now
    let isJSON = form == .json
    let text: String
    switch view {
    case .monitor: return follow(token, form)
    case .routes(let all): return try list(.routes(all: all), in: form, for: token)
    case .xroutes: return try list(.xroutes, in: form, for: token)
    case .neighbours:
      guard node.routerID != nil else { throw noBabel }
      let rows = node.neighbourRows(at: now)
      text = isJSON ? RoutingJSON.neighbours(rows) : RoutingText.neighbours(rows)
    case .explain(let address, let source):
      let explanation = node.explain(address, from: source, at: now)
      text = isJSON ? RoutingJSON.explanation(explanation) : RoutingText.explanation(explanation)
    }
    return UAPIResponse.text(text) + UAPIResponse.success
  }

  /// Begins to tell a table; the rest follows as fast as the client reads.
  private mutating func list(
    _ table: TableListing.Table, in form: UAPIRequest.Form, for token: UInt64
  ) throws(UAPIError) -> String {
    guard let listing = node.listing(of: table, in: form, at: clock.now) else { throw noBabel }
    server.listings[token] = listing
    return nextPage(for: token) ?? ""
  }

  private var noBabel: UAPIError { UAPIError(.notSupported, "`\(plane.tun.name)` does not speak Babel") }

  private var status: Status {
    var status = node.status(at: clock.now)
    status.interfaceName = plane.tun.name.text
    var sockets = plane.sockets.reader()
    status.listenPort = sockets.current().first?.port ?? 0
    status.checks = checks.statuses
    status.lanes = plane.laneCount
    status.offloads = Offloads(plane.tun, sockets.current()).list
    let counters = plane.links.map(\.drops) + [egress.drops]
    let packets = DropReason.allCases.map { reason in
      (reason: reason.rawValue, count: counters.reduce(0) { $0 + $1[reason] })
    }
    status.drops = packets.filter { $0.count > 0 } + status.drops
    switch host {
    case .some(let host): status.unused = host.unused
    case nil: break
    }
    return status
  }

  private mutating func change(_ changes: [UAPIChange]) throws(UAPIError) {
    let new = configuration.applying(changes)
    try rebind(new.interface)
    apply(new)
    // An endpoint given by hand is taken at once, also where the peer was seen elsewhere.
    var current: PublicKey?
    for change in changes {
      switch change {
      case .peer(let key): current = key
      case .endpoint(.address(let endpoint)):
        if let current { node.handle(.move(current, to: endpoint), at: clock.now) }
      default: break
      }
    }
  }

  private mutating func rebind(_ interface: Configuration.Interface) throws(UAPIError) {
    let name = plane.tun.name.text
    do {
      try babelMonitor.listen(at: options.places(of: interface, named: name))
    } catch {
      throw UAPIError(.inputOutput, "\(error)")
    }
    do {
      try bind(interface)
    } catch {
      // Nothing of a change that fails stays; what was served a moment ago can be served again.
      try? babelMonitor.listen(at: options.places(of: configuration.interface, named: name))
      switch error {
      case .portInUse: throw UAPIError(.addressInUse, "\(error)")
      case .markNotPermitted, .failed: throw UAPIError(.inputOutput, "\(error)")
      }
    }
  }

  /// Opens new sockets if the port has changed, and sets the mark if that has.
  ///
  /// Nothing is lost if it cannot be done.
  private mutating func bind(_ interface: Configuration.Interface) throws(BindError) {
    let old = configuration.interface
    let mark = options.mark(of: interface, device: plane.tun.index)
    if interface.listenPort != old.listenPort {
      let sockets = try DataPlane.openSockets(port: interface.listenPort, mark: mark, lanes: plane.laneCount)
      plane.publish(sockets)
      if let socket = sockets.first { egress.move(to: socket) }
    } else if mark != options.mark(of: old, device: plane.tun.index) {
      var sockets = plane.sockets.reader()
      do {
        for socket in sockets.current() { try socket.setFirewallMark(mark) }
      } catch {
        throw .markNotPermitted
      }
    }
  }

  /// Puts a configuration in force.
  mutating func apply(_ new: Configuration) {
    configuration = new
    let now = clock.now
    // What is announced for the host is known before the node announces anything.
    configureChecks(at: now)
    hostRoutes.follow(Redistribution(new.interface), at: now)
    readHostRoutes(at: now)
    host?.setMark(options.mark(of: new.interface, device: plane.tun.index))
    node.handle(.configure(new), at: now)
    host?.update(new.interface)
    names.follow(new, unresolved: node.unresolvedNames, at: now)
  }

  // MARK: Reload

  mutating func reloadAfterSignal() {
    do throws(UAPIError) {
      try reload(nil)
    } catch {
      logger.error(
        "the configuration was not reloaded; the old one stays in force", metadata: ["reason": "\(error)"])
    }
  }

  private mutating func reload(_ path: FilePath?) throws(UAPIError) {
    guard let path = path ?? options.configurationPath.map({ FilePath($0) }) else {
      throw UAPIError(.invalidArgument, "this interface was not brought up from a file")
    }
    let new: Configuration
    do {
      new = try LoadedConfiguration(path, arena: arena).configuration
    } catch {
      throw UAPIError(.invalidArgument, "\(error)")
    }
    try rebind(new.interface)
    if let mtu = new.interface.host.mtu, mtu != configuration.interface.host.mtu { host?.setMTU(mtu) }
    apply(new)
    logger.info("configuration reloaded", metadata: ["file": "\(path)"])
  }
}
