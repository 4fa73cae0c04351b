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
  /// Whether source-specific routes are taken from it (RFC 9079).
  ///
  /// A node that cannot forward by source must not.
  public var acceptsSourceSpecific: Bool
  /// The rules for what it announces, after `accept`.
  public var inbound: Filter
  /// The rules for what it is told.
  public var outbound: Filter
  /// The next hop in our IPv4 updates: our first IPv4 address in the mesh.
  ///
  /// Without one, those who speak RFC 9229 get IPv4 routes by an IPv6 next hop, and others by 192.0.0.8 (RFC 7600).
  public var ipv4NextHop: IPv4Address?
  /// Octets an inner packet may have.
  public var mtu: Int
  /// What it costs the peer to send to us while the link works; told in IHUs.
  public var receiveCost: Metric
  /// What delay adds to the cost; `nil` is `DelayPenalty.mesh` for a meshd and `DelayPenalty.stock` for others.
  public var delayPenalty: DelayPenalty?
  /// Keys that packets are authenticated with (RFC 8967); what has the MAC of none of them is not heard.
  ///
  /// Without any, authentication is ignored.
  public var keys: [MACKey]

  /// Makes settings; everything but our address has a default that suits a stock peer.
  public init(
    ourLinkLocal: IPv6Address, expected: IPv6Address? = nil, isMeshd: Bool = false,
    accept: [IPPrefix]? = nil, prefixLimit: Int? = nil, acceptsSourceSpecific: Bool = true,
    inbound: Filter = Filter(.in), outbound: Filter = Filter(.out), ipv4NextHop: IPv4Address? = nil,
    mtu: Int = 1420,
    receiveCost: Metric = .wired, delayPenalty: DelayPenalty? = nil, keys: [MACKey] = []
  ) {
    self.ourLinkLocal = ourLinkLocal
    self.expected = expected
    self.isMeshd = isMeshd
    self.accept = accept
    self.prefixLimit = prefixLimit
    self.acceptsSourceSpecific = acceptsSourceSpecific
    self.inbound = inbound
    self.outbound = outbound
    self.ipv4NextHop = ipv4NextHop
    self.mtu = mtu
    self.receiveCost = receiveCost
    self.delayPenalty = delayPenalty
    self.keys = keys
  }

  /// Whether the neighbour may announce routes to `key`.
  func accepts(_ key: RouteKey) -> Bool {
    if let source = key.source { guard acceptsSourceSpecific, !source.isMartian else { return false } }
    guard !key.prefix.isMartian else { return false }
    return accept?.contains { $0.contains(key.prefix) } ?? true
  }

  /// UDP payload octets of one packet: what IPv6 and UDP leave of the MTU, never below 512 (RFC 8966 §4).
  private var payloadLimit: Int { max(mtu - 48, 512) }

  /// Octets of header and messages: what a counter and the MACs leave of the payload.
  var packetLimit: Int {
    keys.isEmpty ? payloadLimit : payloadLimit - 14 - keys.reduce(0) { $0 + 2 + $1.size }
  }
}
