import Mesh
import Net
import Tun

/// The offloads in use, on the device and on the sockets of each family.
struct Offloads: Equatable {
  private let tun: TunOffloads
  private let ipv4: UDPOffloads?
  private let ipv6: UDPOffloads?

  /// What the device has, and what every one of the sockets has.
  init(_ device: TunDevice, _ sockets: [UDPSocket]) {
    tun = device.offloads
    ipv4 = Self.common(.v4, sockets)
    ipv6 = Self.common(.v6, sockets)
  }

  /// What every socket of the family has; `nil` if there is none.
  private static func common(_ family: AddressFamily, _ sockets: [UDPSocket]) -> UDPOffloads? {
    var common: UDPOffloads?
    for socket in sockets where socket.descriptor(family) != nil {
      let offloads = socket.offloads(family)
      common = UDPOffloads(
        segmentation: offloads.segmentation && common?.segmentation ?? true,
        coalescing: offloads.coalescing && common?.coalescing ?? true)
    }
    return common
  }

  /// One by one, as `meshd show` names them.
  var list: [Status.Offload] {
    var list: [Status.Offload] = []
    func add(_ place: String, _ names: KeyValuePairs<String, Bool>) {
      list += names.map { Status.Offload(place: place, name: $0.key, isInUse: $0.value) }
    }
    add(
      "tun",
      [
        "csum": tun.checksums, "tso4": tun.segments, "tso6": tun.segments, "uso4": tun.datagrams,
        "uso6": tun.datagrams,
      ])
    if let ipv4 { add("ipv4", ["gso": ipv4.segmentation, "gro": ipv4.coalescing]) }
    if let ipv6 { add("ipv6", ["gso": ipv6.segmentation, "gro": ipv6.coalescing]) }
    return list
  }
}
