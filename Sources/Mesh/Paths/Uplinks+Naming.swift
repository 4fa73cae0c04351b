internal import Net

extension [Uplink] {
  /// The path with our interface named only where that helps.
  ///
  /// Replies shall leave by the provider that the question came by (S5.17), which the routing table alone does not see to
  /// when there are several. An interface without a route to everywhere is not named: that would override the routing
  /// table, and IPv4 would take every host for a neighbour on a link that has no route to it.
  func naming(_ path: Path) -> Path {
    guard let local = path.local, path.interface != 0 else { return path }
    if path.remote.address.isLinkLocal || local.isLinkLocal { return path }
    let family = filter { $0.address.family == local.family }
    if family.count > 1, family.contains(where: { $0.interface == path.interface }) { return path }
    return Path(remote: path.remote, local: local)
  }
}
