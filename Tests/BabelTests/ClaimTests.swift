import Net
import Testing

@testable import Babel

/// Prefixes announced for somebody who does not speak: the newest claim wins.
@Suite struct ClaimTests {
  private static let claimed = RouterID.test(0xC0C0)
  private static let speaking = RouterID.test(0x5050)

  private func claim(_ station: inout Station, floor: UInt16 = 500) {
    station.perform {
      $0.claim(
        Station.prefix, for: Self.claimed, speakingAs: Self.speaking, notBefore: Seqno(floor), at: $1)
    }
  }

  private func claimSeqnos(_ station: Station, to neighbour: Int) -> [UInt16] {
    station.updates(to: neighbour).filter { $0.routerID == Self.claimed }.map(\.seqno.rawValue)
  }

  @Test func claimIsAnnouncedUnderTheOwnersRouterID() {
    var station = Station()
    station.join(1)
    claim(&station)
    station.run(for: .milliseconds(50))
    #expect(claimSeqnos(station, to: 1) == [500])
    #expect(station.metrics(to: 1) == [.zero])
    #expect(station.state == .local)
  }

  @Test func newerClaimOfAnotherEndsOursAndBecomesTheRoute() {
    var station = Station()
    station.join(1)
    claim(&station)
    station.run(for: .seconds(3))
    // Its own announcement comes back, and an older claim arrives late: nothing happens.
    station.receive([Station.update(96, seqno: 500, routerID: Self.claimed)], from: 1)
    station.receive([Station.update(0, seqno: 499, routerID: Self.claimed)], from: 1)
    station.receive([Station.update(0, seqno: 900, routerID: Station.other)], from: 1)
    #expect(station.state == .local && station.lostClaims.isEmpty)
    station.receive([Station.update(0, seqno: 501, routerID: Self.claimed)], from: 1)
    #expect(station.lostClaims == [Station.prefix] && station.nextHop == 1)
  }

  @Test func youngClaimIsDefendedOnce() {
    var station = Station()
    station.join(1)
    claim(&station)
    station.receive([Station.update(0, seqno: 600, routerID: Self.claimed)], from: 1)
    #expect(station.state == .local && station.lostClaims.isEmpty)
    #expect(station.seqnoRequests.last.map { (602...615).contains($0.request.seqno.rawValue) } == true)
    station.receive([Station.update(0, seqno: 630, routerID: Self.claimed)], from: 1)
    #expect(station.nextHop == 1 && station.lostClaims == [Station.prefix])
  }

  @Test func ownerThatSpeaksItselfEndsTheClaim() {
    var station = Station()
    station.join(1)
    claim(&station)
    station.receive([Station.update(0, seqno: 1, routerID: Self.speaking)], from: 1)
    #expect(station.lostClaims == [Station.prefix] && station.nextHop == 1)
  }

  @Test func claimAfterAnotherIsNewerThanItWhateverTheClockSays() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(0, seqno: 700, routerID: Self.claimed)], from: 1)
    #expect(station.nextHop == 1)
    claim(&station)
    station.run(for: .milliseconds(50))
    #expect(claimSeqnos(station, to: 1).allSatisfy { (702...715).contains($0) })
    claim(&station, floor: 3)
    claim(&station, floor: 800)
    #expect(station.speaker.routes(at: station.now).map(\.seqno) == [Seqno(800)])
  }

  @Test func staleEchoAfterTheEndIsNotARoute() {
    var station = Station()
    station.join(1)
    claim(&station)
    station.run(for: .seconds(1))
    station.perform { $0.withdraw(Station.prefix, at: $1) }
    station.receive([Station.update(96, seqno: 500, routerID: Self.claimed)], from: 1)
    #expect(station.nextHop == nil)
    station.receive([Station.update(96, seqno: 501, routerID: Self.claimed)], from: 1)
    #expect(station.nextHop == 1)
  }

  @Test func holderOfAnOlderClaimIsToldUntilItIsGone() {
    var station = Station()
    station.join(1)
    station.receive([Station.update(0, seqno: 700, routerID: Self.claimed)], from: 1)
    station.sent = []
    claim(&station)
    #expect(station.seqnoRequests.count == 1)
    #expect(station.seqnoRequests.allSatisfy { (702...715).contains($0.request.seqno.rawValue) })
    #expect(station.seqnoRequests.allSatisfy { $0.to == 1 && $0.isUnicast })
    station.run(for: .milliseconds(700))
    #expect(station.seqnoRequests.count == 2)
    station.receive([Station.retraction()], from: 1)
    station.run(for: .seconds(10))
    #expect(station.seqnoRequests.count == 2)
    // It was not gone: only its retraction was before its next announcement.
    station.receive([Station.update(0, seqno: 701, routerID: Self.claimed)], from: 1)
    #expect(station.seqnoRequests.count == 3)
  }

  @Test func requestForMoreThanTheNextNumberEndsTheClaim() {
    var station = Station()
    station.join(1)
    station.join(2)
    claim(&station)
    station.run(for: .seconds(3))
    let request = SeqnoRequest(
      prefix: Station.prefix, routerID: Self.claimed, seqno: Seqno(502), hopCount: 10)
    station.receive([.seqnoRequest(request)], from: 1)
    #expect(station.lostClaims == [Station.prefix] && station.state == .unreachable)
    station.run(for: .milliseconds(50))
    #expect(station.metrics(to: 2).last == .infinity)
    station.receive([Station.update(0, seqno: 502, routerID: Self.claimed)], from: 1)
    #expect(station.nextHop == 1)
  }

  @Test func seqnoRequestMakesTheClaimNewerAndNotUs() {
    var station = Station()
    station.join(1)
    claim(&station)
    station.run(for: .seconds(1))
    let request = SeqnoRequest(
      prefix: Station.prefix, routerID: Self.claimed, seqno: Seqno(501), hopCount: 10)
    station.receive([.seqnoRequest(request)], from: 1)
    station.run(for: .seconds(1))
    #expect(claimSeqnos(station, to: 1).last == 501)
    #expect(station.seqnos.isEmpty)
  }

  @Test func prefixOfOurOwnIsNotClaimedAndAClaimBecomesOurOwn() {
    var station = Station()
    station.join(1)
    station.perform { $0.originate(Station.prefix, at: $1) }
    claim(&station)
    #expect(station.speaker.routes(at: station.now).map(\.routerID) == [Station.routerID])
    station.perform { $0.withdraw(Station.prefix, at: $1) }
    claim(&station)
    #expect(station.speaker.routes(at: station.now).map(\.routerID) == [Self.claimed])
    station.perform { $0.originate(Station.prefix, at: $1) }
    #expect(station.speaker.routes(at: station.now).map(\.routerID) == [Station.routerID])
  }

  @Test func newerClaimOverAnUnusableLinkHoldsThePrefix() {
    var station = Station()
    station.join(1)
    station.join(2)
    claim(&station)
    station.run(for: .seconds(3))
    station.receive([station.ihu(0xFFFF)], from: 1)
    station.receive([Station.update(0, seqno: 501, routerID: Self.claimed)], from: 1)
    #expect(station.state == .unreachable && station.lostClaims == [Station.prefix])
    station.run(for: .milliseconds(50))
    #expect(station.metrics(to: 2).last == .infinity)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func roamingClientIsFollowedByTheWholeRing(seed: UInt64) {
    var network = VirtualNetwork(count: 6, seed: seed)
    for node in 0..<6 { network.connect(node, (node + 1) % 6, delay: .milliseconds(3)) }
    network.run(for: .seconds(3))
    var random = SplitMix64(seed: seed)
    let prefix = IPPrefix.test("fd09::1/128")
    // Clocks that have little to do with each other.
    let skews = (0..<6).map { _ in Int64(random.next() % 4000) }
    var last = -1
    for round in 0..<10 {
      let holder = (last + 1 + Int(random.next() % 5)) % 6
      last = holder
      network.act(holder) { speaker, now in
        let seconds = now.nanoseconds / 1_000_000_000 + skews[holder]
        speaker.claim(
          prefix, for: Self.claimed, speakingAs: Self.speaking,
          notBefore: Seqno(UInt16(truncatingIfNeeded: seconds)), at: now)
      }
      network.run(for: .milliseconds(random.next() % 2 == 0 ? 100 : 1500))
      guard round % 2 == 1 else { continue }
      network.run(for: .seconds(1))
      for node in 0..<6 {
        #expect(
          (network.speakers[node].route(for: prefix).state == .local) == (node == holder), "seed \(seed)")
        #expect(network.way(from: node, to: holder, prefix) != nil, "seed \(seed), \(node) to \(holder)")
      }
    }
  }
}
