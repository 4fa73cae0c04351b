import Net
import Testing

@testable import Noise

/// One rule of whitepaper §6 a test.
@Suite struct TimerTests {
  static func connected() throws -> (TestPeer, TestPeer) {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    TunnelTests.settle(a, b, at: .zero)
    // Both have heard of each other after their last data, so that no timer but the long ones runs.
    b.tunnel.authenticatedPacketSent(at: .zero)
    a.tunnel.authenticatedPacketReceived(at: .zero)
    return (a, b)
  }

  @Test func anUnansweredInitiationIsRepeatedAfter5SecondsAndAJitter() throws {
    var waits: Set<Int64> = []
    for seed in 0..<50 as Range<UInt64> {
      let (a, _) = try TestPeer.pair(seed: seed)
      a.send([1], at: .zero)
      let deadline = a.nextDeadline
      #expect(deadline >= .seconds(5) && deadline <= .seconds(5.333))
      waits.insert(deadline.nanoseconds)
      a.advance(to: Instant(nanoseconds: deadline.nanoseconds - 1))
      #expect(a.sent.count == 1)
      a.advance(to: deadline)
      #expect(a.sent.count == 2 && a.sourcesForgotten == 1)
    }
    #expect(waits.count > 40, "the jitter differs")
  }

  @Test func twentyInitiationsThenStagedPacketsAreDropped() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    while a.gaveUp == 0 { a.advance(to: a.nextDeadline) }
    #expect(a.initiationsSent == 20 && a.staged.isEmpty)
    a.advance(to: .seconds(500))
    #expect(a.initiationsSent == 20, "nobody asks any more")
    a.sent = []
    a.send([2], at: .seconds(500))
    TunnelTests.settle(a, b, at: .seconds(500))
    #expect(b.received == [[2]], "a new packet begins anew")
  }

  @Test func userDataRenewsTheAttemptsAndControlTrafficDoesNot() throws {
    for isUserData in [true, false] {
      let (a, _) = try TestPeer.pair()
      a.send([1], at: .zero)
      for second in 1..<200 {
        a.tunnel.initiate(
          renewingAttempts: isUserData, at: .seconds(Double(second)), in: &a.device, using: &a.random)
        a.advance(to: .seconds(Double(second)))
      }
      #expect((a.gaveUp == 0) == isUserData)
    }
  }

  @Test func neverTwoInitiationsWithin5Seconds() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    a.send([2], at: .seconds(1))
    #expect(a.initiationsSent == 1)
    TunnelTests.settle(a, b, at: .seconds(1))
    a.tunnel.linkDown(in: &a.device)
    a.drain(at: .seconds(2))
    a.send([3], at: .seconds(2))
    #expect(a.initiationsSent == 1)
    #expect(a.nextDeadline == .seconds(5))
    a.advance(to: .seconds(5))
    #expect(a.initiationsSent == 2)
  }

  @Test func aSentResponseCountsAsAnInitiation() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    b.receive(a.sent.removeFirst(), at: .seconds(3))
    b.send([2], at: .seconds(4))
    #expect(b.initiationsSent == 0)
    b.advance(to: .seconds(8))
    #expect(b.initiationsSent == 1)
  }

  @Test func receivedDataWithoutAnAnswerMakesAKeepaliveAfter10Seconds() throws {
    let (a, b) = try Self.connected()
    a.tunnel.dataReceived(at: .seconds(20))
    a.advance(to: .seconds(29.999))
    #expect(a.keepalivesSent == 0)
    a.advance(to: .seconds(30))
    #expect(a.keepalivesSent == 1)
    a.advance(to: .seconds(60))
    #expect(a.keepalivesSent == 1 && b.keepalivesSent == 0, "no keepalive for a keepalive")
  }

  @Test func anythingSentStopsThePassiveKeepalive() throws {
    let (a, _) = try Self.connected()
    a.tunnel.dataReceived(at: .seconds(20))
    a.tunnel.authenticatedPacketSent(at: .seconds(29))
    a.advance(to: .seconds(60))
    #expect(a.keepalivesSent == 0)
  }

  @Test func dataDuringTheWaitMakesOneMoreKeepalive() throws {
    let (a, _) = try Self.connected()
    a.tunnel.dataReceived(at: .seconds(20))
    a.tunnel.dataReceived(at: .seconds(25))
    a.advance(to: .seconds(30))
    a.advance(to: .seconds(39.999))
    #expect(a.keepalivesSent == 1)
    a.advance(to: .seconds(40))
    a.advance(to: .seconds(80))
    #expect(a.keepalivesSent == 2)
  }

  @Test func aKeepaliveMakesNoKeepalive() throws {
    let (a, _) = try Self.connected()
    a.tunnel.authenticatedPacketReceived(at: .seconds(20))
    a.advance(to: .seconds(60))
    #expect(a.keepalivesSent == 0)
  }

  @Test func dataWithoutAnythingHeardStartsOverAfter15Seconds() throws {
    let (a, _) = try Self.connected()
    a.tunnel.dataSent(at: .seconds(20))
    a.tunnel.dataSent(at: .seconds(25))
    a.advance(to: .seconds(34.999))
    #expect(a.initiationsSent == 1)
    let deadline = a.nextDeadline
    #expect(deadline >= .seconds(35) && deadline <= .seconds(35.333), "from the first data")
    a.advance(to: deadline)
    #expect(a.initiationsSent == 2 && a.sourcesForgotten == 1)
  }

  @Test func anythingHeardStopsTheNewHandshake() throws {
    let (a, _) = try Self.connected()
    a.tunnel.dataSent(at: .seconds(20))
    #expect(a.awaitsAnswer)
    a.tunnel.authenticatedPacketReceived(at: .seconds(21))
    #expect(!a.awaitsAnswer)
    a.advance(to: .seconds(60))
    #expect(a.initiationsSent == 1)
  }

  @Test func sampledEventsMayComeInAnyOrder() throws {
    let (a, _) = try Self.connected()
    // The answer at 21 is reported before the data of 20 that it answers.
    a.tunnel.authenticatedPacketReceived(at: .seconds(21))
    a.tunnel.dataSent(at: .seconds(20))
    #expect(!a.awaitsAnswer)
    a.tunnel.authenticatedPacketSent(at: .seconds(31))
    a.tunnel.dataReceived(at: .seconds(30))
    a.advance(to: .seconds(60))
    #expect(a.initiationsSent == 1 && a.keepalivesSent == 0)
    // What came before the data is no answer to it.
    a.tunnel.dataSent(at: .seconds(60))
    a.tunnel.authenticatedPacketReceived(at: .seconds(59))
    a.advance(to: .seconds(76))
    #expect(a.initiationsSent == 2)
  }

  @Test func onlyTheInitiatorRenewsAt120SecondsAndWhenItSends() throws {
    let (a, b) = try Self.connected()
    b.send([1], at: .seconds(121))
    #expect(b.initiationsSent == 0)
    a.advance(to: .seconds(121))
    #expect(a.initiationsSent == 1, "not by itself")
    a.tunnel.authenticatedPacketSent(at: .seconds(119.9))
    a.advance(to: .seconds(122))
    #expect(a.initiationsSent == 1)
    a.send([2], at: .seconds(122))
    #expect(a.initiationsSent == 2)
    TunnelTests.settle(a, b, at: .seconds(122))
    #expect(TunnelTests.shareOneSession(a, b) && a.published.current?.createdAt == .seconds(122))
    #expect(a.published.previous != nil, "what is under way still opens")
  }

  @Test func eitherSideRenewsAfter2To60Messages() throws {
    let (_, b) = try Self.connected()
    let current = try #require(b.published.current)
    #expect(!current.isInitiator)
    _ = current.reserve(1 << 60)
    b.send([1], at: .seconds(10))
    #expect(b.initiationsSent == 1)
  }

  @Test func aReceivingInitiatorRenewsOnceAt165Seconds() throws {
    let (a, b) = try Self.connected()
    a.tunnel.authenticatedPacketReceived(at: .seconds(164.9))
    a.advance(to: .seconds(164.9))
    #expect(a.initiationsSent == 1)
    a.tunnel.authenticatedPacketReceived(at: .seconds(165))
    a.advance(to: .seconds(165))
    #expect(a.initiationsSent == 2)
    a.tunnel.authenticatedPacketReceived(at: .seconds(166))
    a.advance(to: .seconds(166))
    #expect(a.initiationsSent == 2)
    b.tunnel.authenticatedPacketReceived(at: .seconds(170))
    b.advance(to: .seconds(170))
    #expect(b.initiationsSent == 0, "not the responder")
  }

  @Test func noPacketPassesAt180SecondsInEitherDirection() throws {
    let (a, b) = try Self.connected()
    b.send([5], at: .seconds(179.9))
    let late = b.sent.removeLast()
    a.receive(late, at: .seconds(180))
    #expect(a.received.isEmpty)
    b.sent = []
    b.send([6], at: .seconds(180))
    #expect(b.initiationsSent == 1 && b.sent.count == 1 && b.staged == [[6]])
  }

  @Test func keysAreErasedAt540Seconds() throws {
    let (a, b) = try Self.connected()
    for peer in [a, b] {
      peer.advance(to: .seconds(539.9))
      #expect(peer.published.current != nil)
      peer.advance(to: .seconds(540))
      #expect(peer.published.all.isEmpty && peer.device.indices.count == 0)
    }
  }

  @Test func givingUpErasesTheHandshakeLater() throws {
    let (a, _) = try TestPeer.pair()
    a.send([1], at: .zero)
    while a.gaveUp == 0 { a.advance(to: a.nextDeadline) }
    #expect(a.device.indices.count == 1)
    let deadline = a.nextDeadline
    #expect(deadline > .seconds(540) && deadline < .seconds(660))
    a.advance(to: deadline)
    #expect(a.device.indices.count == 0 && a.outstandingInitiation == nil)
  }

  @Test func persistentKeepaliveIsMeasuredFromTheLastPacketEitherWay() throws {
    let (a, _) = try Self.connected()
    a.tunnel.setPersistentKeepalive(.seconds(25), at: .seconds(1))
    a.advance(to: .seconds(1))
    #expect(a.keepalivesSent == 1, "the first at once")
    a.tunnel.authenticatedPacketReceived(at: .seconds(20))
    a.advance(to: .seconds(44.9))
    #expect(a.keepalivesSent == 1)
    a.advance(to: .seconds(45))
    #expect(a.keepalivesSent == 2)
    a.advance(to: .seconds(70))
    #expect(a.keepalivesSent == 3)
    a.tunnel.setPersistentKeepalive(nil, at: .seconds(71))
    a.advance(to: .seconds(119))
    #expect(a.keepalivesSent == 3)
  }

  @Test func persistentKeepaliveMakesTheSessionThatItNeeds() throws {
    let (a, b) = try TestPeer.pair()
    a.tunnel.setPersistentKeepalive(.seconds(25), at: .zero)
    a.advance(to: .zero)
    TunnelTests.settle(a, b, at: .zero)
    #expect(TunnelTests.shareOneSession(a, b))
    a.tunnel.linkDown(in: &a.device)
    a.tunnel.linkUp(at: .seconds(30))
    a.advance(to: .seconds(30))
    TunnelTests.settle(a, b, at: .seconds(30))
    #expect(a.published.current?.createdAt == .seconds(30))
  }

  @Test func aClockThatStepsBackHarmsNothing() throws {
    let (a, b) = try Self.connected()
    a.advance(to: .seconds(50))
    a.send([9], at: .seconds(49))
    TunnelTests.settle(a, b, at: .seconds(49))
    a.advance(to: .zero)
    a.tunnel.dataReceived(at: Instant(nanoseconds: -5))
    a.advance(to: .seconds(50))
    #expect(b.received.last == [9])
  }

  @Test func afterASuspendTheOldKeyIsDeadAndANewSessionFollows() throws {
    let (a, b) = try Self.connected()
    let now = Instant.seconds(3_600)
    a.send([9], at: now)
    TunnelTests.settle(a, b, at: now)
    #expect(b.received.last == [9] && a.published.current?.createdAt == now)
  }
}
