public import Net

/// What the configuration says about a neighbour.
public struct NeighbourSettings: Sendable, Equatable {
  /// Our address on the link, the source of what we send and the address its IHUs must name.
  public var ourLinkLocal: IPv6Address
  /// The address the peer has if it is a meshd (`decisions.md` 12).
  ///
  /// A peer heard from it is one, and then nothing else is heard from that peer.
  public var expected: IPv6Address?
  /// Whether the peer is known to be a meshd before it was heard: only `expected` is heard then.
  public var isMeshd: Bool
  /// What the peer may announce; `nil` is everything but martians and our own prefixes.
  public var accept: [IPPrefix]?
  /// How many prefixes it may announce; `nil` is `Limits.routesPerNeighbour`.
  public var prefixLimit: Int?
  /// The next hop in our IPv4 updates: our first IPv4 address in the mesh; `nil` becomes 192.0.0.8 (RFC 7600).
  public var ipv4NextHop: IPv4Address?
  /// Octets an inner packet may have.
  public var mtu: Int
  /// What it costs the peer to send to us while the link works; told in IHUs.
  public var receiveCost: Metric

  /// Makes settings; everything but our address has a default that suits a stock peer.
  public init(
    ourLinkLocal: IPv6Address, expected: IPv6Address? = nil, isMeshd: Bool = false,
    accept: [IPPrefix]? = nil, prefixLimit: Int? = nil, ipv4NextHop: IPv4Address? = nil, mtu: Int = 1420,
    receiveCost: Metric = .wired
  ) {
    self.ourLinkLocal = ourLinkLocal
    self.expected = expected
    self.isMeshd = isMeshd
    self.accept = accept
    self.prefixLimit = prefixLimit
    self.ipv4NextHop = ipv4NextHop
    self.mtu = mtu
    self.receiveCost = receiveCost
  }

  /// Whether the neighbour may announce `prefix`.
  func accepts(_ prefix: IPPrefix) -> Bool {
    guard !prefix.isMartian else { return false }
    return accept?.contains { $0.contains(prefix) } ?? true
  }

  /// UDP payload octets of one packet: what IPv6 and UDP leave of the MTU, never below 512 (RFC 8966 §4).
  var payloadLimit: Int { max(mtu - 48, 512) }
}
