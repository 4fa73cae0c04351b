internal import Babel
internal import Net

// What is ours: addresses, announced prefixes, and routes of the host.
extension Node {
  /// The addresses that the interface has were changed, by us or by somebody else.
  mutating func setHostAddresses(_ addresses: [IPAddress]) {
    guard addresses != hostAddresses else { return }
    hostAddresses = addresses
    configureLocalPrefixes()
  }

  mutating func setRedistributed(_ announcements: [Configuration.Announcement]) {
    guard announcements != redistributed else { return }
    redistributed = announcements
    configureLocalPrefixes()
  }

  mutating func setHealthy(_ prefixes: Set<IPPrefix>) {
    guard prefixes != healthyPrefixes else { return }
    healthyPrefixes = prefixes
    configureLocalPrefixes()
  }

  /// Finds out what is ours.
  ///
  /// Configured addresses, `Announce` and redistributed routes are announced; what somebody gave the interface besides is
  /// only delivered.
  mutating func configureLocalPrefixes() {
    let interface = configuration.interface
    let configured = interface.host.addresses.map(\.address)
    // With the kernel forwarding, everything goes to it anyway, and the table stays WireGuard's own.
    let found = interface.transit == .kernel ? [] : hostAddresses.filter { !configured.contains($0) }
    let announced = announcedMetrics()
    // A prefix for some sources is no prefix of ours for packets from elsewhere.
    let local = Set(announced.keys.lazy.filter { $0.source == nil }.map(\.prefix))
      .union((configured + found).map { IPPrefix(host: $0) })
    draft.settings.ownAddresses = configured + found
    isTableDirty = true
    let gone = announcedPrefixes.keys.filter { announced[$0] == nil }.sorted()
    announcedPrefixes = announced
    let changed = localPrefixes.symmetricDifference(local).sorted()
    localPrefixes = local
    for key in gone { withdraw(key.prefix, from: key.source) }
    for (key, metric) in announced.sorted(by: { $0.key < $1.key }) {
      speaker?.originate(key.prefix, source: key.source, metric: metric, at: now)
    }
    for prefix in changed { refresh(prefix) }
  }

  /// What Babel shall announce: what is written counts before what the host's routes say.
  ///
  /// A prefix with a check waits for its answer.
  private func announcedMetrics() -> [RouteKey: Metric] {
    let interface = configuration.interface
    let withheld = Set(interface.checks.map(\.prefix)).subtracting(healthyPrefixes)
    let own = interface.host.addresses.map { Configuration.Announcement(IPPrefix(host: $0.address)) }
    var metrics: [RouteKey: Metric] = [:]
    for announcement in redistributed + interface.announce + own
    where !withheld.contains(announcement.prefix) {
      metrics[RouteKey(announcement.prefix, source: announcement.source)] = announcement.metric
    }
    return metrics
  }
}
