/// The receiver indices in use in a device, each with the peer that it was given out for.
///
/// Random, so that they tell neither how many peers nor how many handshakes there are.
public struct ReceiverIndices: Sendable {
  private var owners: [ReceiverIndex: UInt32] = [:]

  /// Makes an empty set.
  public init() {}

  /// How many are in use.
  public var count: Int { owners.count }

  /// The peer that `index` belongs to, as numbered by whoever made its tunnel.
  public subscript(index: ReceiverIndex) -> UInt32? { owners[index] }

  mutating func allocate(for owner: UInt32, using random: inout some RandomNumberGenerator) -> ReceiverIndex {
    while true {
      let index = ReceiverIndex(UInt32(truncatingIfNeeded: random.next()))
      guard owners[index] == nil else { continue }
      owners[index] = owner
      return index
    }
  }

  mutating func release(_ index: ReceiverIndex) {
    owners[index] = nil
  }
}
