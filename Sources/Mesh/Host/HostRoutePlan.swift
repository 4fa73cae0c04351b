public import Net

/// Which of the prefixes that lead to peers this host uses, and by which of its routing tables.
public struct HostRoutePlan: Sendable {
  /// Where the route to a prefix belongs.
  public enum Place: Sendable, Equatable {
    /// In the table that all packets ask.
    case shared
    /// In the table that our own UDP packets do not ask: some of them go to addresses inside the prefix.
    case unmarked
    /// Nowhere, since packets to it go elsewhere already.
    case nowhere(Obstacle)
  }

  /// Why the host does not use a prefix.
  public enum Obstacle: Sendable, Equatable, CustomStringConvertible {
    /// It is a network, or part of one, that the named interface is attached to.
    case onLink(String)
    /// There is a route to it that we have not made.
    case foreignRoute
    /// Our own UDP packets would take it.
    case ownPackets

    /// A few words.
    public var description: String {
      switch self {
      case .onLink(let interface): "on the link of \(interface)"
      case .foreignRoute: "another route exists"
      case .ownPackets: "our own packets to a peer would take it"
      }
    }
  }

  /// The networks of the host's other interfaces, with the interfaces' names.
  public var onLink: [(prefix: IPPrefix, interface: String)] = []
  /// The addresses to which our own UDP packets go, in ascending order.
  public var underlay: [IPAddress] = []
  /// Whether there is a table that our own UDP packets do not ask.
  public var hasUnmarkedTable = false

  /// A host without other interfaces.
  public init() {}

  /// Where the route to `prefix` belongs.
  public func place(of prefix: IPPrefix) -> Place {
    if let network = onLink.first(where: { $0.prefix.contains(prefix) }) {
      return .nowhere(.onLink(network.interface))
    }
    return hasUnmarkedTable && (prefix.isDefault || carriesUs(prefix)) ? .unmarked : .shared
  }

  /// What keeps packets from some sources from being sent into the interface; `nil` if nothing does.
  ///
  /// The routes for them are asked before all others, so our own packets must not come from any of the sources.
  public func obstacle(to packets: HostPrefix) -> Obstacle? {
    if case .nowhere(let obstacle) = place(of: packets.destination) { return obstacle }
    guard let source = packets.source, packets.destination.isDefault || carriesUs(packets.destination),
      onLink.contains(where: { $0.prefix.overlaps(source) })
    else { return nil }
    return .ownPackets
  }

  /// Whether an address of the underlay is inside `prefix`.
  private func carriesUs(_ prefix: IPPrefix) -> Bool {
    var range = underlay.startIndex..<underlay.endIndex
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      if underlay[middle] < prefix.address {
        range = middle + 1..<range.upperBound
      } else {
        range = range.lowerBound..<middle
      }
    }
    return range.lowerBound < underlay.endIndex && prefix.contains(underlay[range.lowerBound])
  }
}
