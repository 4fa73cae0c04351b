import Net
import Testing

@testable import Babel

/// A meshd that has enough neighbours answers whoever calls with a goodbye.
@Suite struct DismissalTests {
  /// A speaker whose neighbour 1, a meshd, answers each call with a goodbye; neighbour 2 is another as any.
  private func dismissed() -> Station {
    var station = Station()
    station.join(2) { $0.isMeshd = true }
    var settings = NeighbourSettings(ourLinkLocal: Station.linkLocal)
    settings.isMeshd = true
    station.perform { speaker, now in
      speaker.addNeighbour(Station.id(1), settings, at: now)
      speaker.linkUp(Station.id(1), at: now)
    }
    return station
  }

  /// The times of the packets to neighbour 1, which says goodbye 1 ms after each with a Hello.
  private func calls(_ station: inout Station, for duration: Duration) -> [Instant] {
    let end = station.now.advanced(by: duration)
    var times: [Instant] = []
    while station.now < end {
      station.sent = []
      station.run(for: station.now.duration(to: min(station.speaker.nextDeadline, end)))
      guard station.sent.contains(where: { $0.to == 1 }) else { continue }
      times.append(station.now)
      guard station.sent.contains(where: { $0.to == 1 && $0.messages.contains(where: isHello) }) else {
        continue
      }
      station.run(for: .milliseconds(1))
      station.receive([station.hello(1, interval: .farewell)], from: 1)
    }
    return times
  }

  private func isHello(_ message: TLV) -> Bool {
    if case .hello = message { true } else { false }
  }

  @Test func whoCanDoWithoutUsIsCalledMoreAndMoreSeldom() {
    var station = dismissed()
    #expect(calls(&station, for: .seconds(64)).count < 12)
    let later = calls(&station, for: .seconds(640))
    #expect((9...14).contains(later.count))
    // It has room after all.
    station.receive([station.hello(1), station.ihu(96)], from: 1)
    station.run(for: .milliseconds(100))
    #expect(station.sent.filter { $0.to == 1 }.count >= 3)
    station.receive([station.hello(1), station.ihu(96)], from: 1)
    #expect(station.speaker.neighbour(Station.id(1))?.cost.isFinite == true)
    station.sent = []
    station.run(for: .seconds(10))
    #expect(station.sent.contains { $0.to == 1 })
  }

  @Test func helloWithoutPromiseIsNoGoodbye() {
    var station = dismissed()
    station.receive([station.hello(1, interval: .farewell)], from: 1)
    for _ in 0..<5 { station.receive([station.hello(1, interval: .zero)], from: 1) }
    #expect(station.speaker.neighbourTable[Station.id(1)]?.dismissals == 1)
    #expect(Interval(centiseconds: 10).isFarewell && !Interval(centiseconds: 11).isFarewell)
  }

  @Test func whoIsTheOnlyOneIsCalledAllTheTime() {
    var station = dismissed()
    station.perform { speaker, now in speaker.linkDown(Station.id(2), at: now) }
    #expect(calls(&station, for: .seconds(60)).count >= 60)
  }

  @Test func whoCouldDoWithoutUsIsCalledWhenAnotherIsGone() {
    var station = dismissed()
    _ = calls(&station, for: .seconds(200))
    station.sent = []
    station.perform { speaker, now in speaker.linkDown(Station.id(2), at: now) }
    station.run(for: .milliseconds(100))
    #expect(station.sent.contains { $0.to == 1 })
  }
}
