import Mesh
import Net
import SystemPackage
import Tun

/// The health checks of a node: asks what they want asked, when they want it, and never waits.
struct HealthChecks: ~Copyable {
  /// A check and its question under way.
  private final class Work {
    var check: HealthCheck
    var probe: Probe?

    init(_ check: HealthCheck) {
      self.check = check
    }
  }

  private var works: [Work] = []
  private var poller: Poller<ProbeToken>
  private let tunnel: UInt32
  private let identifier = UInt16.random(in: .min ... .max)
  private var sequence: UInt16 = 0

  /// Makes the checks of an empty configuration; `tunnel` is the index of our own interface.
  init(tunnel: UInt32) throws(Errno) {
    self.tunnel = tunnel
    poller = try Poller()
  }

  /// The descriptor to watch for reading.
  var descriptor: FileDescriptor { poller.descriptor }

  /// When `proceed` is to be called at the latest.
  var deadline: Instant { works.lazy.map(\.check.deadline).min() ?? .distantFuture }

  /// The prefixes of which every check passes.
  var healthy: Set<IPPrefix> {
    let failing = works.lazy.filter { !$0.check.isPassing }.map(\.check.settings.prefix)
    return Set(works.map(\.check.settings.prefix)).subtracting(failing)
  }

  /// The checks for display, in the order configured.
  var statuses: [Status.Check] { works.map(\.check.status) }

  /// Makes the checks those of a configuration; those that were there keep what they know.
  ///
  /// Returns the families in which pings are wanted and not permitted.
  mutating func configure(_ settings: [Configuration.Check], at now: Instant) -> [AddressFamily] {
    guard settings != works.map(\.check.settings) else { return [] }
    for work in works { drop(work) }
    let former = works
    works = settings.map { settings in
      Work(
        former.first { $0.check.settings == settings }?.check.restarted(at: now)
          ?? HealthCheck(settings, at: now))
    }
    let families = Set(settings.compactMap(\.question.pingedFamily))
    return AddressFamily.allCases.filter { families.contains($0) && !Probe.mayPing($0) }
  }

  /// Takes the answers that have come and asks what is due; returns the checks whose verdict has changed.
  mutating func proceed(at now: Instant) -> [Status.Check] {
    guard !works.isEmpty else { return [] }
    let before = works.map(\.check.state)
    try? poller.wait(atMost: .zero)
    let events = poller.events
    for event in events { resume(works[Int(event.token.rawValue)], as: event.token) }
    for (place, work) in works.enumerated() {
      while let action = work.check.advance(to: now) {
        switch action {
        case .abandon: drop(work)
        case .ask: ask(work, as: ProbeToken(rawValue: UInt64(place)))
        }
      }
    }
    return zip(works, before).filter { $0.check.state != $1 }.map(\.0.check.status)
  }

  private mutating func ask(_ work: Work, as token: ProbeToken) {
    do {
      let probe = try probe(work.check.settings.question)
      try poller.add(probe.descriptor, as: token, for: probe.awaitsWriting ? .write : .read)
      work.probe = consume probe
    } catch {
      work.check.record(failure: "\(error)")
    }
  }

  private mutating func probe(_ question: Configuration.Check.Question) throws -> Probe {
    sequence &+= 1
    switch question {
    case .ping(let address):
      try refuseTunnel(to: address)
      return try Probe(pinging: address, identifier: identifier, sequence: sequence)
    case .tcp(let endpoint):
      try refuseTunnel(to: endpoint.address)
      return try Probe(connectingTo: endpoint)
    case .http(let endpoint, let path):
      try refuseTunnel(to: endpoint.address)
      return try Probe(getting: path, from: endpoint)
    }
  }

  /// What another node reaches for us is no reason to announce it: the two would take turns at it for ever.
  private func refuseTunnel(to address: IPAddress) throws {
    var netlink = try Netlink()
    guard try netlink.route(to: address).interface != tunnel else {
      throw Failure("only the mesh leads there")
    }
  }

  private mutating func resume(_ work: Work, as token: ProbeToken) {
    switch work.probe?.proceed() {
    case nil: break
    case .waiting:
      // A connection that has opened is read from next.
      guard let awaitsWriting = work.probe?.awaitsWriting, let descriptor = work.probe?.descriptor else {
        break
      }
      try? poller.update(descriptor, as: token, for: awaitsWriting ? .write : .read)
    case .answered:
      drop(work)
      work.check.record(failure: nil)
    case .failed(let reason):
      drop(work)
      work.check.record(failure: reason)
    }
  }

  private func drop(_ work: Work) {
    if let descriptor = work.probe?.descriptor { try? poller.remove(descriptor) }
    work.probe = nil
  }
}

extension Configuration.Check.Question {
  /// The family of a ping; `nil` for another question.
  fileprivate var pingedFamily: AddressFamily? {
    if case .ping(let address) = self { address.family } else { nil }
  }
}
