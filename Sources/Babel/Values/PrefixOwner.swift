internal import Net

/// A node that a prefix belongs to, by configuration: its updates for the prefix count, whoever passes them on.
public struct PrefixOwner: Sendable, Hashable {
  /// The router-ids that follow from the owner's key.
  public var routerIDs: [RouterID]
  /// The neighbour it is; `nil` if it is none.
  ///
  /// From one that is no meshd, whose router-id follows from nothing, the router-id that it announces the prefix with
  /// is taken for its own.
  public var neighbour: NeighbourID?

  /// Makes an owner.
  public init(routerIDs: [RouterID], neighbour: NeighbourID? = nil) {
    self.routerIDs = routerIDs
    self.neighbour = neighbour
  }
}

/// The owners of one prefix, and the router-ids that stock ones were heard to use.
struct OriginBinding: Sendable {
  let owners: [PrefixOwner]
  /// By owner; kept when its link is down, since it may then be reached through others.
  private(set) var heard: [RouterID?]
  /// Of what there were updates that did not count; they may when the owners change.
  private(set) var refused: [RouteKey] = []

  /// Of more than these, the next full updates will tell.
  private static var memory: Int { 8 }

  init(_ owners: [PrefixOwner], keeping old: OriginBinding?) {
    self.owners = owners
    heard = owners.map { owner in old?.owners.firstIndex(of: owner).flatMap { old?.heard[$0] } }
  }

  /// Whether an update with this router-id may be used.
  func admits(_ routerID: RouterID) -> Bool {
    owners.contains { $0.routerIDs.contains(routerID) } || heard.contains(routerID)
  }

  /// Notes that an update did not count.
  mutating func refuse(_ key: RouteKey) {
    guard refused.count < Self.memory, !refused.contains(key) else { return }
    refused.append(key)
  }

  /// Forgets what did not count, to have it announced again.
  mutating func takeRefused() -> [RouteKey] {
    defer { refused = [] }
    return refused
  }

  /// Takes what a stock neighbour itself announces; whether that is news.
  mutating func hear(_ routerID: RouterID, from neighbour: NeighbourID) -> Bool {
    guard let index = owners.firstIndex(where: { $0.neighbour == neighbour }), heard[index] != routerID,
      !owners[index].routerIDs.contains(routerID)
    else { return false }
    heard[index] = routerID
    return true
  }
}
