public import Mesh
public import Net
public import Noise

/// A machine with one node: what outlives a restart of its daemon.
public final class SimulatedHost {
  /// A packet that came out of the TUN device.
  public struct Delivery: Sendable {
    /// When.
    public var instant: Instant
    /// The packet.
    public var packet: [UInt8]
  }

  /// The host's number, by which the network names it.
  public let number: Int
  /// Its static key.
  public let privateKey: PrivateKey
  /// The configuration that the daemon starts with.
  public internal(set) var configuration = Configuration()
  /// Where it is in the underlay.
  public internal(set) var endpoint: Endpoint
  /// Other addresses that it has there, at other providers.
  public internal(set) var otherEndpoints: [Endpoint] = []
  /// How far its wall clock is ahead of the others'.
  public var clockOffset: Duration = .zero
  /// What is on its disk.
  public internal(set) var disk: PersistentState?
  /// What came out of the TUN device.
  public internal(set) var deliveries: [Delivery] = []
  /// What the daemon would have logged.
  public internal(set) var events: [NodeEvent] = []
  /// The daemon; `nil` while none runs.
  public internal(set) var daemon: SimulatedDaemon?
  /// When its daemon started.
  var startedAt = Instant.zero
  /// The sessions that sent when its table was last looked at, by peer.
  var sessions: [ReceiverIndex?] = []
  /// The NAT before it.
  var translation: Translation?
  /// When the daemon's next turn is scheduled.
  var wakeUp = Instant.distantFuture

  /// A NAT whose mapping does not depend on the remote endpoint, and lets in only whom the host has sent to.
  struct Translation {
    var mapping: Endpoint
    var remotes: Set<Endpoint> = []
  }

  init(number: Int, privateKey: PrivateKey) {
    self.number = number
    self.privateKey = privateKey
    endpoint = Endpoint(
      address: .v4(IPv4Address(192, 0, 2, UInt8(truncatingIfNeeded: number + 1))), port: 51820)
    configuration.interface.privateKey = privateKey
    configuration.interface.babel = true
    configuration.interface.host.addresses = addresses.map {
      Configuration.HostSettings.Address(address: $0, prefixLength: UInt8($0.family.bitWidth))
    }
  }

  /// Its name in the protocol.
  public var publicKey: PublicKey { privateKey.publicKey }

  /// Its own addresses in the mesh: one of each family.
  public var addresses: [IPAddress] {
    [
      .v4(IPv4Address(10, 77, 0, UInt8(truncatingIfNeeded: number + 1))),
      .v6(IPv6Address(high: 0xFD77 << 48, low: UInt64(number) + 1)),
    ]
  }

  /// Where datagrams from it seem to come from.
  public var publicEndpoint: Endpoint { translation?.mapping ?? endpoint }

  /// Whether datagrams to `endpoint` reach it.
  func isAt(_ endpoint: Endpoint) -> Bool {
    publicEndpoint == endpoint || otherEndpoints.contains(endpoint)
  }

  /// Where a datagram along `path` seems to come from.
  func source(along path: Path) -> Endpoint {
    otherEndpoints.first { $0.address == path.local } ?? publicEndpoint
  }

  /// The packets that came out of the TUN device.
  public var packets: [[UInt8]] { deliveries.map(\.packet) }

  /// What another host's configuration says about this one.
  public func peerSettings() -> Configuration.Peer {
    var peer = Configuration.Peer(publicKey: publicKey)
    peer.allowedIPs = addresses.map { IPPrefix(host: $0) }
    peer.endpoints = ([publicEndpoint] + otherEndpoints).map { .address($0) }
    return peer
  }
}
