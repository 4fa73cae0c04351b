import Logging
import Mesh

/// Says once in the log what this daemon does without.
struct OffloadReport {
  private var last: Offloads?
  private var logged: [Status.Offload] = []

  /// Logs what is missing, and was not the last time.
  mutating func update(_ offloads: Offloads, to logger: Logger) {
    guard offloads != last else { return }
    last = offloads
    // New sockets begin with all the kernel has, so the same offload may go twice.
    for offload in offloads.list where !offload.isInUse && !logged.contains(offload) {
      logged.append(offload)
      logger.warning(
        "going on without an offload", metadata: ["reason": "\(offload.place) has no \(offload.name)"])
    }
  }
}
