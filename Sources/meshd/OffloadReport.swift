import Logging
import Net
import Tun

/// Says once in the log which offloads this daemon does without.
struct OffloadReport {
  private var tun: TunOffloads?
  private var udp: [AddressFamily: UDPOffloads] = [:]

  /// Logs what has changed since the last time; at first, what is missing.
  mutating func update(_ device: TunDevice, _ socket: UDPSocket, to logger: Logger) {
    if tun != device.offloads {
      tun = device.offloads
      for missing in device.offloads.missing { Self.log(missing, of: device.name.text, to: logger) }
    }
    for family in AddressFamily.allCases where socket.descriptor(family) != nil {
      let offloads = socket.offloads(family)
      guard udp[family] != offloads else { continue }
      udp[family] = offloads
      for missing in offloads.missing { Self.log(missing, of: "the socket of \(family)", to: logger) }
    }
  }

  private static func log(_ missing: String, of place: String, to logger: Logger) {
    logger.warning("going on without an offload", metadata: ["reason": "\(place): no \(missing)"])
  }
}

extension TunOffloads {
  /// What the device does not have, in words.
  fileprivate var missing: [String] {
    [
      checksums ? nil : "checksum offload", segments ? nil : "TCP segmentation",
      datagrams ? nil : "UDP segmentation",
    ].compactMap(\.self)
  }
}

extension UDPOffloads {
  /// What the socket does not have, in words.
  fileprivate var missing: [String] {
    [segmentation ? nil : "segmentation", coalescing ? nil : "coalescing"].compactMap(\.self)
  }
}
