/// Work on UDP datagrams that the kernel does for us, for many datagrams in one call.
public struct UDPOffloads: Sendable, Equatable {
  /// A train of datagrams leaves as one message (`UDP_SEGMENT`).
  public var segmentation: Bool
  /// Datagrams of a flow arrive as one message (`UDP_GRO`).
  public var coalescing: Bool

  /// Names the offloads; none by default.
  public init(segmentation: Bool = false, coalescing: Bool = false) {
    self.segmentation = segmentation
    self.coalescing = coalescing
  }
}
