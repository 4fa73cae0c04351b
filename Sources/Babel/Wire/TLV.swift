public import Net

/// A message between two speakers, decoded (RFC 8966 §4.6).
///
/// Router-Id and Next Hop TLVs and prefix compression are no messages: `PacketReader` resolves them into each `Update`
/// and `PacketWriter` makes them again.
public enum TLV: Hashable, Sendable {
  /// Asks the receiver to acknowledge the packet (§4.6.3).
  case acknowledgmentRequest(opaque: UInt16, interval: Interval)
  /// Answers an acknowledgment request; only ever unicast (§4.6.4).
  case acknowledgment(opaque: UInt16)
  /// A sign of life (§4.6.5).
  case hello(Hello)
  /// "I heard you" (§4.6.6).
  case ihu(IHU)
  /// A route or its retraction (§4.6.9).
  case update(Update)
  /// Retracts all routes of the sender (§4.6.9, AE 0).
  case wildcardRetraction
  /// Asks for an update for one prefix, or for all (§4.6.10).
  case routeRequest(RouteRequest)
  /// Asks for a newer sequence number (§4.6.11).
  case seqnoRequest(SeqnoRequest)
  /// What the sender has told the receiver, in one number; between meshd nodes only.
  case digest(SyncDigest)
}

/// A sign of life that counts (RFC 8966 §4.6.5).
@frozen
public struct Hello: Hashable, Sendable {
  /// Whether it counts in the series of Unicast Hellos.
  ///
  /// Says nothing about the packet's destination.
  public var isUnicast: Bool
  /// Its place in the series.
  public var seqno: Seqno
  /// When the next one is due at the latest; zero leaves the last promise as it is.
  public var interval: Interval
  /// When it was sent, in microseconds of the sender's own clock (RFC 9616).
  public var timestamp: UInt32?

  /// Makes a Hello.
  public init(isUnicast: Bool = false, seqno: Seqno, interval: Interval, timestamp: UInt32? = nil) {
    self.isUnicast = isUnicast
    self.seqno = seqno
    self.interval = interval
    self.timestamp = timestamp
  }
}

/// What a speaker hears of another (RFC 8966 §4.6.6).
@frozen
public struct IHU: Hashable, Sendable {
  /// Times for measuring the round trip (RFC 9616), in microseconds.
  public struct Timestamps: Hashable, Sendable {
    /// The timestamp of the last Hello heard, in the hearer's peer's clock.
    public var origin: UInt32
    /// When that Hello arrived, in the hearer's clock.
    public var receive: UInt32

    /// Makes the pair.
    public init(origin: UInt32, receive: UInt32) {
      self.origin = origin
      self.receive = receive
    }
  }

  /// Whom it speaks of; `nil` is whoever receives it.
  public var address: IPAddress?
  /// The cost of sending to the speaker; infinity if it does not hear.
  public var rxcost: Metric
  /// When the next one is due at the latest.
  public var interval: Interval
  /// Times for measuring the round trip.
  public var timestamps: Timestamps?

  /// Makes an IHU.
  public init(address: IPAddress?, rxcost: Metric, interval: Interval, timestamps: Timestamps? = nil) {
    self.address = address
    self.rxcost = rxcost
    self.interval = interval
    self.timestamps = timestamps
  }
}

/// A route as its sender announces it, or the retraction of one (RFC 8966 §4.6.9).
@frozen
public struct Update: Hashable, Sendable {
  /// The destination.
  public var prefix: IPPrefix
  /// The source prefix of a source-specific route (RFC 9079); `nil` is any source.
  public var source: IPPrefix?
  /// Whether an IPv4 prefix has an IPv6 next hop (RFC 9229, AE 4).
  public var isIPv4ViaIPv6: Bool
  /// The originator; `nil` in retractions, which need none.
  public var routerID: RouterID?
  /// The router to send to; `nil` in retractions, which need none.
  public var nextHop: IPAddress?
  /// The originator's sequence number.
  public var seqno: Seqno
  /// The sender's metric; infinity retracts.
  public var metric: Metric
  /// When the next update is due at the latest.
  public var interval: Interval

  /// Makes an update with a finite metric.
  public init(
    prefix: IPPrefix, source: IPPrefix? = nil, isIPv4ViaIPv6: Bool = false, routerID: RouterID,
    nextHop: IPAddress, seqno: Seqno, metric: Metric, interval: Interval
  ) {
    self.prefix = prefix
    self.source = source
    self.isIPv4ViaIPv6 = isIPv4ViaIPv6
    self.routerID = routerID
    self.nextHop = nextHop
    self.seqno = seqno
    self.metric = metric
    self.interval = interval
  }

  /// Makes a retraction.
  public init(
    retracting prefix: IPPrefix, source: IPPrefix? = nil, isIPv4ViaIPv6: Bool = false, seqno: Seqno,
    interval: Interval
  ) {
    self.prefix = prefix
    self.source = source
    self.isIPv4ViaIPv6 = isIPv4ViaIPv6
    routerID = nil
    nextHop = nil
    self.seqno = seqno
    metric = .infinity
    self.interval = interval
  }
}

/// Asks for an update (RFC 8966 §4.6.10).
@frozen
public struct RouteRequest: Hashable, Sendable {
  /// The destination asked for; `nil` asks for all routes.
  public var prefix: IPPrefix?
  /// The source prefix of a source-specific route (RFC 9079).
  public var source: IPPrefix?

  /// Makes a request; without a prefix, for everything.
  public init(prefix: IPPrefix? = nil, source: IPPrefix? = nil) {
    self.prefix = prefix
    self.source = source
  }
}

/// Asks the originator of a route, hop by hop, for a newer sequence number (RFC 8966 §4.6.11).
@frozen
public struct SeqnoRequest: Hashable, Sendable {
  /// The destination.
  public var prefix: IPPrefix
  /// The source prefix of a source-specific route (RFC 9079).
  public var source: IPPrefix?
  /// The originator asked.
  public var routerID: RouterID
  /// The oldest sequence number that satisfies the request.
  public var seqno: Seqno
  /// How many nodes may still forward it, the receiver included; at least 1.
  public var hopCount: UInt8

  /// Makes a request.
  public init(
    prefix: IPPrefix, source: IPPrefix? = nil, routerID: RouterID, seqno: Seqno, hopCount: UInt8
  ) {
    self.prefix = prefix
    self.source = source
    self.routerID = routerID
    self.seqno = seqno
    self.hopCount = hopCount
  }
}
