public import Babel
public import Net
public import Noise

/// One route of a neighbour, or a prefix that is held after its loss.
public struct RouteRow: Sendable, Equatable {
  /// Who announces a route.
  public struct NextHop: Sendable, Equatable {
    /// The peer.
    public var publicKey: PublicKey
    /// The number of the peer on this node.
    public var number: UInt32
    /// Its link-local address.
    public var address: IPv6Address?

    /// Makes a next hop.
    public init(publicKey: PublicKey, number: UInt32, address: IPv6Address?) {
      self.publicKey = publicKey
      self.number = number
      self.address = address
    }
  }

  /// What a row is to forwarding.
  public enum State: String, Sendable {
    /// Packets go this way.
    case selected
    /// Known, not used.
    case alternative
    /// Lost and held: packets go nowhere.
    case unreachable
  }

  /// The destination.
  public var prefix: IPPrefix
  /// Where packets must come from; `nil` is anywhere.
  public var source: IPPrefix?
  /// Where packets would go; `nil` for a held prefix.
  public var via: NextHop?
  /// The metric, link cost included; 65535 is unusable.
  public var metric: UInt16
  /// The metric the neighbour announced.
  public var referenceMetric: UInt16
  /// The originator; `nil` for a held prefix.
  public var routerID: RouterID?
  /// The originator's sequence number.
  public var seqno: UInt16
  /// Whether the feasibility condition holds.
  public var isFeasible: Bool
  /// What selection thinks of it.
  public var verdict: RouteVerdict

  /// Makes a row.
  public init(
    prefix: IPPrefix, source: IPPrefix? = nil, via: NextHop?, metric: UInt16, referenceMetric: UInt16,
    routerID: RouterID?, seqno: UInt16, isFeasible: Bool, verdict: RouteVerdict
  ) {
    self.prefix = prefix
    self.source = source
    self.via = via
    self.metric = metric
    self.referenceMetric = referenceMetric
    self.routerID = routerID
    self.seqno = seqno
    self.isFeasible = isFeasible
    self.verdict = verdict
  }

  /// What the row is to forwarding.
  public var state: State {
    switch verdict {
    case .selected, .local: .selected
    case .held: .unreachable
    case .linkDown, .unfeasible, .worse, .unproven, .unseen: .alternative
    }
  }
}
