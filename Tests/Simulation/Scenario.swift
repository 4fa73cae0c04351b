import Mesh
import Net

/// A random network, what befalls it, and what must hold all the while and when it has come to rest: a model test.
///
/// Everything follows from the seed. The nodes are real ones with real sessions, and speak the encoded protocol.
public struct Scenario {
  /// What made the run.
  public let seed: UInt64
  /// The network.
  public let network: SimulatedNetwork
  /// What does not hold, in words; empty after a run in which everything did.
  public private(set) var failures: [String] = []
  /// The longest time from the last disturbance to shortest paths everywhere.
  public private(set) var slowestRecovery: Duration = .zero
  /// The most often that a metric rose after the end of its way was gone.
  public var mostRises: Int { network.riseCounter?.most ?? 0 }

  /// What befell the network, in words.
  public internal(set) var log: [String] = []

  let edges: [Edge]
  let topology: Topology
  var random: SplitMix64
  var announced: [AnnouncedPrefix] = []
  var liar: Liar?

  /// A prefix that some hosts announce besides their own addresses.
  struct AnnouncedPrefix {
    var prefix: IPPrefix
    var source: IPPrefix?
    /// An address in it that is nobody's own.
    var target: IPAddress
    var hosts: [Int]
  }

  /// The network of a seed, of up to `maximum` hosts; most have at most twelve.
  public init(seed: UInt64, maximum: Int = 64) {
    self.seed = seed
    var random = SplitMix64(seed: seed &* 0x9E37_79B9 &+ 0x5EED)
    // What goes wrong in a large network goes wrong in a small one, a hundred times as often for the time it takes.
    let count = 2 + random.number(below: random.once(in: 32) ? maximum - 1 : min(maximum, 12) - 1)
    topology = random.pick(Topology.allCases)
    edges = topology.edges(count, using: &random)
    network = SimulatedNetwork(hostCount: count, seed: seed)
    network.controlDelay = .microseconds(50 + random.number(below: 3000))
    self.random = random
    layLinks()
    configureHosts()
    network.riseCounter = RiseCounter(network.hosts)
  }

  /// What the network looks like.
  public var description: String {
    "seed \(seed): \(topology.rawValue) of \(network.hosts.count), \(edges.count) links"
      + (liar.map { ", host \($0.host) lies" } ?? "")
  }

  private mutating func layLinks() {
    let badness = random.share()
    for edge in edges {
      let delay = Duration.milliseconds(1 + random.number(below: 80))
      network.connect(
        edge.a, edge.b,
        LinkQuality(
          delay: delay, jitter: random.duration(below: delay), loss: 0.08 * badness * random.share(),
          duplication: 0.05 * badness, reordering: 0.03 * badness))
    }
  }

  private mutating func configureHosts() {
    for host in network.hosts { host.clockOffset = random.duration(below: .seconds(3600)) }
    for (prefix, source, target) in [
      ("10.99.0.0/16", nil, "10.99.1.1"), ("10.77.0.0/16", nil, "10.77.200.1"),
      ("fd98::/32", "fd77::/16", "fd98::1"), ("10.98.0.0/16", "10.77.0.0/24", "10.98.1.1"),
    ] {
      guard random.once(in: 3), let prefix = IPPrefix(prefix), let target = IPAddress(target) else {
        continue
      }
      announce(prefix, from: source.flatMap { IPPrefix($0) }, target)
    }
    if random.once(in: 4) { liar = Liar(host: random.number(below: network.hosts.count)) }
  }

  private mutating func announce(_ prefix: IPPrefix, from source: IPPrefix?, _ target: IPAddress) {
    var hosts = [random.number(below: network.hosts.count)]
    let second = random.number(below: network.hosts.count)
    if second != hosts[0], random.once(in: 2) { hosts.append(second) }
    announced.append(AnnouncedPrefix(prefix: prefix, source: source, target: target, hosts: hosts))
    for host in hosts {
      network.configure(host) {
        $0.interface.announce.append(Configuration.Announcement(prefix, source: source))
      }
    }
  }

  // MARK: The run

  /// Starts the hosts, disturbs them and lets them rest: once with what is broken by then, once with all links healed.
  public mutating func run() {
    network.liars = liar.map { [$0.host] } ?? []
    for host in network.hosts.indices {
      network.start(host)
      network.run(for: random.duration(below: .milliseconds(500)))
    }
    for _ in 0..<4 + random.number(below: 12) { disturb() }
    if let liar { network.stop(liar.host) }
    network.setQuality { ($0.loss, $0.duplication, $0.reordering) = (0, 0, 0) }
    expectRest("with cuts")
    // What was believed of him may come back for a moment: his numbers have gone round, so that old is new again.
    network.liars = []
    for _ in 0..<random.number(below: 4) { disturb() }
    for host in network.hosts.indices where network.hosts[host].daemon == nil && liar?.host != host {
      network.start(host)
    }
    for host in network.hosts { network.handle(.link(isUp: true), at: host.number) }
    network.healAll()
    expectRest("healed")
    failures += network.violations
    // Whoever believes a liar follows him up and down.
    if liar == nil { failures += network.riseCounter?.violations ?? [] }
  }

  mutating func expectTables(_ occasion: String) {
    for host in network.hosts {
      let found = host.daemon?.tableDisagreements(host.configuration, at: network.now) ?? []
      failures += found.prefix(3).map { "\(occasion), host \(host.number): \($0)" }
    }
  }

  private mutating func expectRest(_ occasion: String) {
    let start = network.now
    var disagreements: [String] = []
    var lost: [String]?
    var agreements = 0
    while network.now < start.advanced(by: Self.patience) {
      network.run(for: .seconds(5))
      disagreements = network.disagreements()
      agreements = disagreements.isEmpty ? agreements + 1 : 0
      guard agreements >= 2 else { continue }
      lost = traffic()
      // Only traffic shows what is left of lies about prefixes that are no host's address.
      if lost == [] || liar == nil { break }
    }
    slowestRecovery = max(slowestRecovery, start.duration(to: network.now))
    guard disagreements.isEmpty else {
      failures += disagreements.prefix(5).map { "\(occasion): \($0)" }
      return
    }
    expectTables(occasion)
    failures += (lost ?? traffic()).map { "\(occasion): \($0)" }
  }

  /// Until then the worst of what was lost has been said again.
  private static let patience = Duration.seconds(200)
}
