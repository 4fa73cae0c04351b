import Logging
import Mesh
import Net

// What the host contributes to the node's announcements: its routes, and the verdict of health checks.
extension ControlLoop {
  /// Tells the node what is redistributed, if the kernel's table may have changed.
  mutating func readHostRoutes(at now: Instant) {
    guard let announcements = hostRoutes.read(at: now) else { return }
    node.handle(.redistributed(announcements), at: now)
  }

  /// Takes the checks of the configuration; those that stay as they are keep what they know.
  mutating func configureChecks(at now: Instant) {
    for family in checks.configure(configuration.interface.checks, at: now) {
      logger.error(
        """
        checks by ping find no answer over \(family == .v4 ? "IPv4" : "IPv6"), so what they guard is not announced: \
        put this process's group into net.ipv4.ping_group_range, or give it CAP_NET_RAW
        """)
    }
    node.handle(.healthy(checks.healthy), at: now)
  }

  /// Goes on with the checks, and tells the node if a prefix became healthy or ceased to be.
  mutating func runChecks(at now: Instant) {
    let changes = checks.proceed(at: now)
    guard !changes.isEmpty else { return }
    for change in changes {
      if change.state == .passing {
        logger.info("check passed", metadata: ["prefix": "\(change.prefix)", "check": "\(change.question)"])
      } else {
        logger.warning(
          "check failed",
          metadata: [
            "prefix": "\(change.prefix)", "check": "\(change.question)",
            "reason": "\(change.reason ?? "unknown")",
          ])
      }
    }
    node.handle(.healthy(checks.healthy), at: now)
  }
}
