public import Net

/// What forwarding needs to know about one prefix.
public struct RouteView: Sendable, Equatable {
  /// Where packets to the prefix go.
  public enum State: Sendable, Equatable {
    /// This node originates the prefix.
    case local
    /// To the neighbour that is the selected next hop.
    case via(NeighbourID, metric: Metric, routerID: RouterID, seqno: Seqno)
    /// Nowhere, and never by a shorter prefix: the prefix was lost and is held, or only announced by neighbours that
    /// might send the packets back (RFC 8966 §3.5.4).
    case unreachable
    /// Nothing is known about it.
    case none
  }

  /// Where packets to the prefix go.
  public var state: State
  /// Neighbours that announce the prefix, feasible or not, or did so a short while ago; in ascending order.
  ///
  /// They may send packets from it.
  public var announcers: [NeighbourID]

  /// Makes a view.
  public init(state: State, announcers: [NeighbourID]) {
    self.state = state
    self.announcers = announcers
  }
}

/// One row of the route table, or a prefix of our own, for display.
public struct RouteEntry: Sendable, Equatable {
  /// The destination and the source.
  public var key: RouteKey
  /// Who announces it; `nil` for our own prefixes and held ones.
  public var neighbour: NeighbourID?
  /// The originator; `nil` for a held prefix.
  public var routerID: RouterID?
  /// The originator's sequence number.
  public var seqno: Seqno
  /// The neighbour's metric.
  public var referenceMetric: Metric
  /// Our metric: the neighbour's and the cost of the link.
  public var metric: Metric
  /// Whether the feasibility condition holds (RFC 8966 §3.5.1).
  public var isFeasible: Bool
  /// What selection thinks of it.
  public var verdict: RouteVerdict

  /// The destination.
  public var prefix: IPPrefix { key.prefix }
  /// Where packets must come from; `nil` is anywhere.
  public var source: IPPrefix? { key.source }
  /// Whether packets go this way, or are for this node.
  public var isSelected: Bool { verdict == .selected || verdict == .local }
}

/// A destination that was lost and is held unreachable (RFC 8966 §3.5.4), for display.
public struct HoldView: Sendable, Equatable {
  /// The neighbours that have not acknowledged the retraction.
  public var waiting: [NeighbourID]
  /// When the hold ends in any case.
  public var end: Instant
}

/// One neighbour, for display.
public struct NeighbourView: Sendable, Equatable {
  /// Who it is.
  public var id: NeighbourID
  /// The link-local address heard last.
  public var linkLocal: IPv6Address?
  /// Whether the link is up.
  public var isUp: Bool
  /// Whether it is known to be a meshd.
  public var isMeshd: Bool
  /// The last 16 Hellos with U = 0, newest in the highest bit.
  public var multicastReach: UInt16
  /// The last 16 Hellos with U = 1.
  public var unicastReach: UInt16
  /// The better of the two.
  public var reach: UInt16 { max(multicastReach, unicastReach) }
  /// The cost we tell it.
  public var rxcost: Metric
  /// The cost it tells us.
  public var txcost: Metric
  /// The cost of the link; infinity is unusable.
  public var cost: Metric
  /// The smoothed round-trip time (RFC 9616); `nil` before it was measured.
  public var roundTrip: Duration?
  /// What it adds to the cost.
  public var roundTripCost: Metric
  /// When its last Hello came.
  public var lastHello: Instant?
  /// How many routes it announces.
  public var routeCount: Int
  /// How many it may announce.
  public var prefixLimit: Int
  /// Updates of its that were not used.
  public var refusals: UpdateRefusals
}
