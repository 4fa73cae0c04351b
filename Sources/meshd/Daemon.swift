import ArgumentParser
import Glibc
import Logging
import Mesh
import Net
import Noise
import Synchronization
import SystemPackage
import Tun

/// Runs a daemon until it is told to end.
///
/// Unless it stays in the foreground, the process that was started ends in here, once the interface works or with the
/// sentence that says why it does not, and its child goes on.
func runDaemon(_ options: DaemonOptions) throws {
  // Before anything is opened: a mistake in the file leaves no trace.
  let loaded: LoadedConfiguration?
  do {
    loaded = try options.configurationPath.map { try LoadedConfiguration(FilePath($0)) }
  } catch {
    throw Failure("\(error)")
  }
  guard options.isForeground else {
    try runInBackground(options, loaded)
    return
  }
  do {
    var daemon = try Daemon(options, loaded)
    try daemon.start()
    try daemon.run()
  } catch {
    throw Failure("\(error)")
  }
}

/// Forks, and runs the daemon in a thread of the child.
///
/// Not in the thread that forked: the Swift runtime remembers the number of each thread and locks under it, and what it
/// remembers there is a thread of the first process. A lane that meets such a lock asks the kernel for it for ever.
private func runInBackground(_ options: DaemonOptions, _ loaded: LoadedConfiguration?) throws {
  let parent = Parent(try Daemonizer())
  // The thread that waits must not be the one a signal ends the process in.
  try SignalSource.block(Daemon.signals)
  let hasFailed = Flag()
  let thread = try Thread(named: "control") {
    do {
      var daemon = try Daemon(options, loaded)
      try daemon.start()
      try parent.daemonizer.take()?.ready()
      try daemon.run()
    } catch {
      parent.daemonizer.take()?.fail("\(error)")
      hasFailed.raise()
    }
  }
  thread.join()
  if hasFailed.isRaised { throw ExitCode(1) }
}

/// The process that was started and waits for our report; a class, so that the thread can take it along.
private final class Parent {
  var daemonizer: Daemonizer?

  init(_ daemonizer: consuming Daemonizer) {
    self.daemonizer = consume daemonizer
  }
}

/// Something that one thread tells another once.
private final class Flag: Sendable {
  private let value = Atomic(false)

  var isRaised: Bool { value.load(ordering: .acquiring) }

  func raise() {
    value.store(true, ordering: .releasing)
  }
}

/// One interface and all that moves its packets: opened in `init`, at work from `start`, gone after `run`.
struct Daemon: ~Copyable {
  /// What ends or reconfigures a daemon.
  static let signals: [Signal] = [.hangUp, .interrupt, .terminate]

  private let settings: Configuration.HostSettings
  private let hooks: Hooks
  private let plane: DataPlane
  private let logger: Logger
  private var loop: ControlLoop
  private var lanes: [Lane] = []

  /// A running lane, or the thread beside them that opens handshakes.
  ///
  /// A class, since an array cannot hold what must not be copied.
  private final class Lane {
    var thread: Thread?

    init(_ thread: consuming Thread) {
      self.thread = consume thread
    }
  }

  init(_ options: DaemonOptions, _ loaded: LoadedConfiguration?) throws {
    try Privileges.forbidDumps()
    try ProcessMemory.returnLargeBlocks()
    let logger = options.makeLogger()
    for warning in loaded?.warnings ?? [] { logger.warning("\(warning)") }
    var configuration = loaded?.configuration ?? Configuration()
    if let transit = options.transit { configuration.interface.transit = transit }
    let settings = configuration.interface.host
    let hooks = Hooks(interface: options.interfaceName, logger: logger)

    // Blocked before the first thread starts, so that no lane is interrupted.
    let signals = try SignalSource(Self.signals)
    try hooks.run(settings.preUp)
    let tun = try Self.openDevice(options)
    let sockets = try DataPlane.openSockets(
      port: configuration.interface.listenPort,
      mark: options.mark(of: configuration.interface, device: tun.index), lanes: tun.queueCount)
    let listener = try Self.openListener(options, tun.name, logger)
    var path: FilePath?
    switch listener {
    case .some(let listener): path = listener.path
    case nil: break
    }
    var monitor = try MonitorServer()
    try monitor.listen(at: options.places(of: configuration.interface, named: tun.name.text))
    let plane = try DataPlane(tun: tun, sockets: sockets)
    var socketFile: FileWatcher?
    if let path {
      do {
        socketFile = try FileWatcher(path)
      } catch {
        // The kernel gives a user few watches, and containers share them: all else works without.
        guard error == .tooManyOpenFiles || error == .noSpace else { throw error }
        logger.warning(
          "removing the socket will not end this daemon: no inotify watch is left (sysctl fs.inotify)",
          metadata: ["socket": "\(path)"])
      }
    }
    let host = try Self.bringUp(tun, options, configuration)
    let loop = try ControlLoop(
      options: options, plane: plane, logger: logger, configuration: configuration, host: host,
      server: UAPIServer(listener), babelMonitor: monitor, signals: signals, socketFile: socketFile,
      socket: sockets[0])
    self.logger = logger
    self.settings = settings
    self.hooks = hooks
    self.plane = plane
    self.loop = loop
  }

  /// Starts the lanes and puts the configuration in force.
  mutating func start() throws {
    let plane = plane
    let logger = logger
    for index in 0..<plane.laneCount {
      lanes.append(
        Lane(
          try Thread(named: "tx/\(index)") {
            Self.run(logger) {
              var lane = try Egress(plane, index: index)
              try lane.run()
            }
          }))
      lanes.append(
        Lane(
          try Thread(named: "rx/\(index)") {
            Self.run(logger) {
              var lane = try Ingress(plane, index: index)
              try lane.run()
            }
          }))
    }
    lanes.append(
      Lane(
        try Thread(named: "handshakes") {
          Self.run(logger) { try plane.opener.run() }
        }))
    loop.start()
    do {
      try hooks.run(settings.postUp)
    } catch {
      finish()
      throw error
    }
  }

  /// Works until the end, and takes everything back.
  mutating func run() throws {
    defer { finish() }
    try loop.run()
    hooks.attempt(settings.preDown)
  }

  private mutating func finish() {
    loop.finish()
    plane.stop()
    for lane in lanes { lane.thread.take()?.join() }
    hooks.attempt(settings.postDown)
  }

  /// A lane that cannot work is the end of the daemon: better none than one that is deaf.
  private static func run(_ logger: Logger, _ body: () throws -> Void) {
    do {
      try body()
    } catch {
      logger.critical("a lane failed", metadata: ["reason": "\(error)"])
      kill(getpid(), SIGTERM)
    }
  }
}

// What a daemon opens.
extension Daemon {
  private static func openDevice(_ options: DaemonOptions) throws -> TunDevice {
    if let descriptor = options.tunDescriptor { return try TunDevice(adopting: OwnedDescriptor(descriptor)) }
    guard let name = InterfaceName(options.interfaceName) else {
      throw TunError.invalidName(options.interfaceName)
    }
    return try TunDevice(named: name, queueCount: options.lanes)
  }

  /// Without a place for the socket a node of a file still works; only nobody can ask it.
  private static func openListener(
    _ options: DaemonOptions, _ name: InterfaceName, _ logger: Logger
  ) throws -> StreamListener? {
    if let descriptor = options.uapiDescriptor {
      return try StreamListener(adopting: OwnedDescriptor(descriptor))
    }
    let directory = FilePath(options.socketDirectory)
    do {
      try StateFile.makeDirectory(directory, mode: 0o755)
    } catch {
      guard error == .readOnlyFileSystem, options.mode == .mesh else {
        throw Failure("\(directory): the directory of the control socket cannot be made: \(error)")
      }
      logger.warning("no control socket: \(directory) cannot be made: \(error)")
      return nil
    }
    return try StreamListener(at: directory.appending("\(name).sock"))
  }

  private static func bringUp(
    _ tun: TunDevice, _ options: DaemonOptions, _ configuration: Configuration
  ) throws -> HostNetwork? {
    guard options.mode == .mesh else {
      if options.tunDescriptor == nil {
        var netlink = try Netlink()
        try netlink.apply(.setMTU(tun.index, 1420))
      }
      return nil
    }
    let interface = configuration.interface
    var host = try HostNetwork(
      interface: tun.index, table: interface.host.table, mark: options.mark(of: interface, device: tun.index))
    try host.bringUp(configuration)
    return host
  }
}

extension Configuration.Interface {
  /// The interface's link-local address; `nil` without Babel or key.
  var linkLocal: IPv6Address? {
    babel ? privateKey?.publicKey.linkLocal : nil
  }
}
