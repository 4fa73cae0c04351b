import Logging
import Mesh
import Net
import Noise

extension NodeEvent {
  /// Writes the event to the log, at the level that `CONTRIBUTING.md` gives such events.
  func log(to logger: Logger) {
    switch self {
    case .sessionEstablished(let key, let endpoint):
      logger.debug(
        "session established",
        metadata: ["peer": "\(key.short)", "endpoint": "\(endpoint.map(\.description) ?? "unknown")"])
    case .handshakeGaveUp(let key):
      logger.warning("no answer to 20 handshake initiations", metadata: ["peer": "\(key.short)"])
    case .endpointChanged(let key, let endpoint, let reason):
      logger.info(
        "endpoint changed",
        metadata: ["peer": "\(key.short)", "endpoint": "\(endpoint)", "reason": "\(reason.rawValue)"])
    case .handshakeRefused(let endpoint, let reason):
      logger.debug("handshake refused", metadata: ["endpoint": "\(endpoint)", "reason": "\(reason)"])
    case .neighbourChanged(let key, let isUp):
      logger.info(isUp ? "neighbour up" : "neighbour down", metadata: ["peer": "\(key.short)"])
    case .routeSwitched(let record):
      let origin = record.source.map { " from \($0)" } ?? ""
      logger.debug(
        "route changed",
        metadata: [
          "prefix": "\(record.prefix)\(origin)", "peer": "\(record.current.map(\.short) ?? "none")",
          "reason": "\(record.reason.text)",
        ])
    case .prefixLimitReached(let key):
      logger.warning(
        "peer announces more prefixes than MaxPrefixes allows; the others are ignored",
        metadata: ["peer": "\(key.short)"])
    case .addressCollision(let key, let other):
      logger.error(
        "two keys give one link-local address; the second peer gets no Babel",
        metadata: ["peer": "\(key.short)", "reason": "\(other.short)"])
    }
  }
}

extension PublicKey {
  /// The first eight characters of the key: enough to find a peer in a log.
  var short: String { String(base64.prefix(8)) }
}
