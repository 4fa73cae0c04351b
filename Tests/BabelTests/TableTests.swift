import Net
import Testing

@testable import Babel

/// The tables against dictionaries that do the same, by random operations.
@Suite struct TableTests {
  /// Keys that meet often: few prefixes, some of them with sources.
  private func key(_ random: inout SplitMix64) -> RouteKey {
    let number = UInt32(random.next() % 600)
    let address: IPAddress =
      random.next() % 2 == 0
      ? .v4(IPv4Address(bits: 10 << 24 | number << 8))
      : .v6(IPv6Address(high: 0xFD44 << 48, low: UInt64(number)))
    let prefix = IPPrefix(address, length: 24 + Int(random.next() % 2)) ?? .defaultIPv4
    guard random.next() % 4 == 0 else { return RouteKey(prefix) }
    return RouteKey(prefix, source: IPPrefix(address, length: 8 + Int(random.next() % 2)))
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func slotsStayAndKeysAreFound(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var table = RouteTable()
    var model: [RouteKey: Int] = [:]
    for step in 0..<20_000 {
      let key = key(&random)
      #expect(table.slot(key) == model[key], "seed \(seed), step \(step)")
      // Now growing, now shrinking.
      if random.next() % 8 < (step / 4000 % 2 == 0 ? 6 : 2) {
        let slot = table.slotOrInsert(key)
        #expect(model[key] == nil || model[key] == slot, "seed \(seed), step \(step)")
        #expect(table.contains(slot) && table[slot].key == key, "seed \(seed), step \(step)")
        model[key] = slot
      } else if let slot = model.removeValue(forKey: key) {
        table.remove(slot)
        #expect(!table.contains(slot), "seed \(seed), step \(step)")
      }
      #expect(table.count == model.count, "seed \(seed), step \(step)")
    }
    #expect(Set(table.rows.map(\.key)) == Set(model.keys), "seed \(seed)")
    #expect(table.rows.map(\.key).count == model.count, "seed \(seed)")
    for (key, slot) in model { #expect(table.slot(key) == slot && table[slot].key == key, "seed \(seed)") }
  }

  private func route(_ neighbour: UInt32, _ metric: UInt16) throws -> Route {
    let update = Update(
      prefix: .defaultIPv6, routerID: try #require(RouterID(7)), nextHop: .v6(.loopback), seqno: Seqno(1),
      metric: Metric(metric), interval: Interval(centiseconds: 100))
    return try #require(Route(update, from: NeighbourID(neighbour)))
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func aRouteListIsAnArray(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var list = RouteList()
    var model: [Route] = []
    for step in 0..<2_000 {
      switch random.next() % 4 {
      case 0, 1:
        let new = try route(UInt32(step), UInt16(step))
        list.append(new)
        model.append(new)
      case 2 where !model.isEmpty:
        let index = Int(random.next() % UInt64(model.count))
        list.remove(at: index)
        model.remove(at: index)
      default:
        guard let index = model.indices.randomElement(using: &random) else { continue }
        list[index].penalty = Metric(UInt16(step))
        model[index].penalty = Metric(UInt16(step))
      }
      #expect(list.map(\.neighbour) == model.map(\.neighbour), "seed \(seed), step \(step)")
      #expect(list.map(\.penalty) == model.map(\.penalty), "seed \(seed), step \(step)")
    }
  }

  @Test func aCopyOfARowIsItsOwn() throws {
    var table = RouteTable()
    let slot = table.slotOrInsert(RouteKey(.defaultIPv4, source: IPPrefix("10.0.0.0/8")))
    for neighbour in 1...3 as ClosedRange<UInt32> { table[slot].routes.append(try route(neighbour, 1)) }
    let copy = table
    table[slot].local = Metric(5)
    table[slot].routes[2].penalty = Metric(9)
    #expect(copy[slot].local == nil && copy[slot].routes[2].penalty == .zero)
    #expect(table[slot].local == Metric(5) && table[slot].routes[2].penalty == Metric(9))
    #expect(table[slot].key == copy[slot].key && table[slot].key.source == IPPrefix("10.0.0.0/8"))
  }

  @Test func exceptionsComeAndGo() {
    var row = Destination(key: RouteKey(.defaultIPv4))
    #expect(row.isVacant && row.deadline == .distantFuture)
    row.hold = Destination.Hold(epoch: 1, waiting: [NeighbourID(1)], end: Instant(nanoseconds: 5))
    row.reconsideration = Instant(nanoseconds: 9)
    row.formerAnnouncers = [
      Destination.FormerAnnouncer(neighbour: NeighbourID(1), end: Instant(nanoseconds: 3))
    ]
    #expect(!row.isVacant && row.deadline == Instant(nanoseconds: 3))
    row.formerAnnouncers.removeAll()
    #expect(row.deadline == Instant(nanoseconds: 5))
    row.hold = nil
    #expect(row.isVacant && row.deadline == Instant(nanoseconds: 9))
    row.reconsideration = .distantFuture
    #expect(row.deadline == .distantFuture)
    #expect(row.selected == nil && row.announced == nil)
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func distancesAreRememberedAndForgotten(seed: UInt64) {
    struct Source: Hashable {
      var key: RouteKey
      var routerID: RouterID
    }
    var random = SplitMix64(seed: seed)
    var table = SourceTable(lifetime: .seconds(10), capacity: 500)
    var model: [Source: (distance: FeasibilityDistance, expiry: Instant)] = [:]
    var now = Instant.zero
    for step in 0..<20_000 {
      now = now.advanced(by: .milliseconds(Int64(random.next() % 8)))
      guard let routerID = RouterID(1 + random.next() % 2) else { continue }
      let key = key(&random)
      let source = Source(key: key, routerID: routerID)
      let known = model[source].flatMap { $0.expiry > now ? $0.distance : nil }
      #expect(table.distance(key, routerID, at: now) == known, "seed \(seed), step \(step)")
      let new = FeasibilityDistance(
        seqno: Seqno(UInt16(random.next() % 3)), metric: Metric(UInt16(random.next() % 100)))
      let isRoom = model[source] != nil || model.count < 500
      #expect(
        table.record(key, routerID, seqno: new.seqno, metric: new.metric, at: now) == isRoom,
        "seed \(seed), step \(step)")
      if isRoom {
        let isBetter = known?.admits(seqno: new.seqno, metric: new.metric) ?? true
        model[source] = (isBetter ? new : known ?? new, now.advanced(by: .seconds(10)))
      }
      if random.next() % 500 == 0 {
        table.sweep(at: now)
        model = model.filter { $0.value.expiry > now }
      }
      #expect(table.count == model.count, "seed \(seed), step \(step)")
    }
  }

  @Test func rowsAreSmall() {
    #expect(MemoryLayout<Route>.stride == 48)
    #expect(MemoryLayout<Destination>.stride <= 128)
  }
}
