import Net
import Testing

@testable import Babel

/// In which order the updates that wait for a neighbour leave.
@Suite struct UpdateQueueTests {
  private static let many = 3000

  private func key(_ number: Int) -> RouteKey {
    RouteKey(IPPrefix(host: .v6(IPv6Address(high: 0xFD44 << 48, low: UInt64(number)))))
  }

  /// Every third is a retraction, the others have a few originators.
  private func rank(_ key: RouteKey) -> AnnouncementRank {
    guard case .v6(let address) = key.prefix.address, !address.low.isMultiple(of: 3) else {
      return AnnouncementRank(routerID: nil, key: key)
    }
    return AnnouncementRank(routerID: RouterID(1 + address.low % 7), key: key)
  }

  @Test(arguments: [1, 2, 100, many])
  func allLeaveByRank(count: Int) {
    var queue = UpdateQueue()
    for number in 0..<count { queue.insert(key(number), repeats: number % 5) }
    #expect(queue.count == count)
    var left: [RouteKey] = []
    while let first = queue.removeFirst(by: rank) { left.append(first.key) }
    #expect(left == (0..<count as Range<Int>).map { rank(key($0)) }.sorted().map(\.key))
    #expect(queue.isEmpty)
  }

  @Test(arguments: [4, many]) func whatIsAddedLeavesByRankAtOnce(count: Int) {
    var queue = UpdateQueue()
    for number in 1..<count where !number.isMultiple(of: 3) { queue.insert(key(number), repeats: 0) }
    _ = queue.removeFirst(by: rank)
    queue.insert(key(3), repeats: 0)
    #expect(queue.removeFirst(by: rank)?.key == key(3))
  }

  @Test func whatBecomesARetractionLeavesFirst() {
    var queue = UpdateQueue()
    for number in 0..<Self.many { queue.insert(key(3 * number + 1), repeats: 0) }
    _ = queue.removeFirst(by: rank)
    let lost = key(3 * Self.many - 2)
    queue.insert(lost, repeats: 0)
    let rankNow = { $0 == lost ? AnnouncementRank(routerID: nil, key: $0) : rank($0) }
    #expect(queue.removeFirst(by: rankNow)?.key == lost)
    #expect(queue.count == Self.many - 2)
    var others: [RouteKey] = []
    while let first = queue.removeFirst(by: rankNow) { others.append(first.key) }
    #expect(others.count == Self.many - 2 && !others.contains(lost))
  }

  @Test func whatIsAddedAgainAndAgainTakesNoRoom() {
    var queue = UpdateQueue()
    queue.insert(key(1), repeats: 0)
    for _ in 0..<10 * Self.many { queue.insert(key(1), repeats: 0) }
    let entries = Mirror(reflecting: queue).children.compactMap { ($0.value as? [RouteKey])?.count }
    #expect(entries.reduce(0, +) < 100)
  }

  @Test func anUpdateWaitsOnceAndIsWorthTheMostCopiesAskedFor() {
    var queue = UpdateQueue()
    for repeats in [1, 4, 2] { queue.insert(key(1), repeats: repeats) }
    #expect(queue.contains(key(1)) && !queue.contains(key(2)))
    #expect(queue.removeFirst(by: rank)?.repeats == 4)
    #expect(queue.removeFirst(by: rank) == nil)
  }
}
