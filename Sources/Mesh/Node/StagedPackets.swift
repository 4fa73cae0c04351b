internal import DequeModule

/// Packets that wait for a session: 128 of one peer, the oldest dropped first (whitepaper §6.1).
struct StagedPackets {
  /// How many packets wait at most.
  static let capacity = 128

  private var packets: Deque<[UInt8]> = []

  /// Whether nothing waits.
  var isEmpty: Bool { packets.isEmpty }

  /// Adds a packet; whether the oldest had to go for it.
  mutating func append(_ packet: [UInt8]) -> Bool {
    let isFull = packets.count == Self.capacity
    if isFull { packets.removeFirst() }
    packets.append(packet)
    return isFull
  }

  /// Takes the oldest packet out.
  mutating func popFirst() -> [UInt8]? {
    packets.popFirst()
  }

  /// Drops all of them and says how many there were.
  mutating func removeAll() -> Int {
    defer { packets.removeAll() }
    return packets.count
  }
}
