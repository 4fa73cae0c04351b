public import Net

/// What the selectors of a filter rule look at: one route, on its way in, out, or from the host's kernel.
public struct FilterCandidate: Sendable, Equatable {
  /// Where a redistributed route comes from.
  public enum Origin: Hashable, Sendable {
    /// It is an address of the host.
    case local
    /// It is in the kernel's table, made by this protocol.
    case kernel(KernelProtocol)
  }

  /// The destination.
  public var prefix: IPPrefix
  /// Where the packets must come from; `nil` is anywhere.
  public var source: IPPrefix?
  /// The link-local address of the neighbour that the route comes from or goes to.
  public var neighbour: IPv6Address?
  /// The router that originated the route.
  public var routerID: RouterID?
  /// Where a redistributed route comes from; `nil` for routes of Babel.
  public var origin: Origin?
  /// The name of the interface that a redistributed route leads to.
  public var interface: String?

  /// Makes a candidate of which only the destination is known.
  public init(
    _ prefix: IPPrefix, source: IPPrefix? = nil, neighbour: IPv6Address? = nil, routerID: RouterID? = nil,
    origin: Origin? = nil, interface: String? = nil
  ) {
    self.prefix = prefix
    self.source = source
    self.neighbour = neighbour
    self.routerID = routerID
    self.origin = origin
    self.interface = interface
  }
}
