import Net
import Testing

@testable import Noise

@Suite struct TunnelTests {
  /// Carries every datagram over at once, until both ends are silent.
  static func settle(_ a: TestPeer, _ b: TestPeer, at now: Instant) {
    while !a.sent.isEmpty || !b.sent.isEmpty {
      let (fromA, fromB) = (a.sent, b.sent)
      (a.sent, b.sent) = ([], [])
      for datagram in fromA { b.receive(datagram, at: now) }
      for datagram in fromB { a.receive(datagram, at: now) }
    }
  }

  /// Whether both send under the two ends of one session.
  static func shareOneSession(_ a: TestPeer, _ b: TestPeer) -> Bool {
    guard let ours = a.published.current, let theirs = b.published.current else { return false }
    return ours.localIndex == theirs.remoteIndex && theirs.localIndex == ours.remoteIndex
      && ours.isInitiator != theirs.isInitiator
  }

  @Test(arguments: [true, false]) func aStagedPacketMakesASession(withPresharedKey: Bool) throws {
    let psk = withPresharedKey ? PresharedKey([UInt8](repeating: 9, count: 32)) : nil
    let (a, b) = try TestPeer.pair(psks: (psk, psk))
    a.send([1, 2, 3], at: .zero)
    Self.settle(a, b, at: .zero)
    #expect(b.received == [[1, 2, 3]])
    #expect(Self.shareOneSession(a, b) && a.established == 1 && b.established == 1)
    b.send([4], at: .seconds(1))
    Self.settle(a, b, at: .seconds(1))
    #expect(a.received == [[4]])
    #expect(a.initiationsSent == 1 && b.initiationsSent == 0)
    #expect(a.lastHandshakeAt == .zero && b.lastHandshakeAt == .zero)
  }

  @Test func theInitiatorConfirmsAtOnceEvenWithoutData() throws {
    let (a, b) = try TestPeer.pair()
    a.tunnel.initiate(at: .zero, in: &a.device, using: &a.random)
    a.drain(at: .zero)
    b.receive(a.sent.removeFirst(), at: .zero)
    #expect(b.published.next != nil && b.published.current == nil)
    b.send([7], at: .zero)
    #expect(b.sent.count == 1, "the response, but no data before the key is confirmed")
    a.receive(b.sent.removeFirst(), at: .zero)
    #expect(a.sent.map(\.count) == [DataHeader.overhead], "a keepalive confirms the key")
    Self.settle(a, b, at: .zero)
    #expect(b.published.current != nil && b.published.next == nil)
    #expect(a.received == [[7]])
  }

  @Test func outputsPublishBeforeTheyAreSent() throws {
    let (a, b) = try TestPeer.pair()
    a.tunnel.initiate(at: .zero, in: &a.device, using: &a.random)
    a.drain(at: .zero)
    let message = try #require(HandshakeInitiation(a.sent[0]))
    _ = try b.tunnel.consume(try message.open(by: b.identity), at: .zero, in: &b.device, using: &b.random)
    let first = b.tunnel.poll()
    #expect(first == .keypairsChanged)
    guard case .sendHandshake(let response) = b.tunnel.poll() else {
      Issue.record("no response")
      return
    }
    try a.tunnel.consume(try #require(HandshakeResponse(response)), at: .zero, in: &a.device)
    let outputs = (0..<3).map { _ in a.tunnel.poll() }
    #expect(outputs == [.keypairsChanged, .established(mustConfirm: true), nil])
  }

  @Test func differentPresharedKeysMakeNoSession() throws {
    let (a, b) = try TestPeer.pair(psks: (PresharedKey([UInt8](repeating: 9, count: 32)), nil))
    a.send([1], at: .zero)
    Self.settle(a, b, at: .zero)
    #expect(a.errors == [.unauthentic] && a.published.all.isEmpty && b.published.current == nil)
    a.tunnel.presharedKey = nil
    a.advance(to: .seconds(6))
    Self.settle(a, b, at: .seconds(6))
    #expect(b.received == [[1]], "the retry uses the new key")
  }

  @Test func aChangedPresharedKeyLeavesTheSessionAlone() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    Self.settle(a, b, at: .zero)
    a.tunnel.presharedKey = PresharedKey([UInt8](repeating: 9, count: 32))
    a.send([2], at: .seconds(1))
    Self.settle(a, b, at: .seconds(1))
    #expect(b.received == [[1], [2]])
  }

  @Test func forgedResponseKeepsHandshake() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    b.receive(a.sent.removeFirst(), at: .zero)
    let response = b.sent.removeFirst()
    let index = try #require(a.outstandingIndex)
    for bit in stride(from: 8 * 12, to: 8 * 60, by: 5) {
      var forged = response
      forged[bit / 8] ^= 1 << UInt8(bit % 8)
      // As its forger would, with a right mac1.
      forged.removeLast(32)
      forged.append(MAC(key: a.identity.labels.mac1Key.array, over: forged))
      forged.append(MAC.zero)
      a.receive(forged, at: .zero)
    }
    #expect(a.errors.count == 77 && a.errors.allSatisfy { $0 == .unauthentic })
    #expect(a.outstandingIndex == index && a.published.all.isEmpty)
    a.receive(response, at: .zero)
    Self.settle(a, b, at: .zero)
    #expect(b.received == [[1]])
  }

  @Test func aResponseOfLowOrderIsRefused() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    b.receive(a.sent.removeFirst(), at: .zero)
    var forged = b.sent.removeFirst()
    forged.replaceSubrange(12..<44, with: [UInt8](repeating: 0, count: 32))
    forged.removeLast(32)
    forged.append(MAC(key: a.identity.labels.mac1Key.array, over: forged))
    forged.append(MAC.zero)
    a.receive(forged, at: .zero)
    #expect(a.errors == [.weakPublicKey])
  }

  @Test func aPeerWithAKeyOfLowOrderGetsNothing() throws {
    let (a, _) = try TestPeer.pair()
    var tunnel = Tunnel(
      identity: a.identity, peer: PublicKey([UInt8](repeating: 0, count: 32)), number: 1, seed: 1)
    tunnel.initiate(at: .zero, in: &a.device, using: &a.random)
    let (output, deadline) = (tunnel.poll(), tunnel.nextDeadline)
    #expect(output == nil && deadline == .distantFuture && a.device.indices.count == 0)
  }

  @Test func aSecondResponseChangesNothing() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    b.receive(a.sent.removeFirst(), at: .zero)
    let response = b.sent[0]
    Self.settle(a, b, at: .zero)
    let session = a.published.current
    a.receive(response, at: .zero)
    #expect(a.errors == [.unexpected] && a.published.current === session)
  }

  @Test func aResponseToAnOlderInitiationIsLate() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    b.receive(a.sent.removeFirst(), at: .zero)
    let late = b.sent.removeFirst()
    a.advance(to: .seconds(6))
    a.receive(late, at: .seconds(6))
    #expect(a.errors == [.unexpected] && a.published.current == nil)
    Self.settle(a, b, at: .seconds(6))
    #expect(b.received == [[1]])
  }

  @Test func anInitiationIsTakenOnceAndNeverAnOlderOne() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    let first = a.sent.removeFirst()
    a.advance(to: .seconds(6))
    let second = a.sent.removeFirst()
    b.receive(second, at: .seconds(6))
    b.receive(second, at: .seconds(7))
    b.receive(first, at: .seconds(8))
    #expect(b.errors == [.replayed, .replayed] && b.sent.count == 1)
  }

  @Test func initiationsWithin20MillisecondsAreIgnored() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    a.advance(to: .seconds(6))
    b.receive(a.sent[0], at: .seconds(6))
    b.receive(a.sent[1], at: .seconds(6).advanced(by: .microseconds(19_999)))
    #expect(b.errors == [.flooded])
    b.receive(a.sent[1], at: .seconds(6).advanced(by: .milliseconds(20)))
    #expect(b.errors == [.flooded] && b.sent.count == 2)
  }

  @Test func aCopyIsAnsweredWithTheSameBytesWhereThatIsWanted() throws {
    let (a, b) = try TestPeer.pair()
    b.tunnel.answersCopies = true
    a.send([1], at: .zero)
    let initiation = a.sent.removeFirst()
    #expect(a.outstandingInitiation == initiation)
    b.receive(initiation, at: .zero)
    b.receive(initiation, at: .seconds(0.001))
    #expect(b.sent.count == 2 && b.sent[0] == b.sent[1] && b.errors.isEmpty)
    Self.settle(a, b, at: .seconds(0.002))
    #expect(Self.shareOneSession(a, b) && b.received == [[1]] && a.errors == [.unexpected])
    // The slower path's copy may come when the session is in use.
    b.receive(initiation, at: .seconds(0.003))
    #expect(b.errors.isEmpty && b.sent.last == b.sent.first)
  }

  @Test func copiesAreAnsweredFewTimesAndNotForLong() throws {
    let (a, b) = try TestPeer.pair()
    b.tunnel.answersCopies = true
    a.send([1], at: .zero)
    let initiation = a.sent.removeFirst()
    for _ in 0..<20 { b.receive(initiation, at: .seconds(0.001)) }
    #expect(b.sent.count == 1 + Limits.answeredCopies)
    #expect(b.errors == [.replayed, .replayed, .replayed])
    let (c, d) = try TestPeer.pair(seed: 2)
    d.tunnel.answersCopies = true
    c.send([1], at: .zero)
    let other = c.sent.removeFirst()
    d.receive(other, at: .zero)
    d.receive(other, at: Instant.zero.advanced(by: Limits.copyTime))
    #expect(d.sent.count == 1 && d.errors == [.replayed])
  }

  @Test func theInitiationOfAStrangerIsRefused() throws {
    let (a, b) = try TestPeer.pair()
    let (_, c) = try TestPeer.pair(seed: 99)
    let stranger = TestPeer(identity: c.identity, peer: b.identity.publicKey, seed: 5)
    stranger.send([1], at: .zero)
    b.receive(stranger.sent[0], at: .zero)
    #expect(b.errors == [.unauthentic] && b.sent.isEmpty)
    #expect(a.errors.isEmpty)
  }

  // MARK: Both at once

  /// Every order in which two crossing handshakes can arrive, each direction in order.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func simultaneousInitiationEndsInOneSession(seed: UInt64) throws {
    let (a, b) = try TestPeer.pair(seed: seed)
    var random = SplitMix64(seed: seed)
    a.send([1], at: .zero)
    b.send([2], at: .zero)
    var now = Instant.zero
    while !a.sent.isEmpty || !b.sent.isEmpty {
      now = now.advanced(by: .milliseconds(30))
      if b.sent.isEmpty || !a.sent.isEmpty && Bool.random(using: &random) {
        b.receive(a.sent.removeFirst(), at: now)
      } else {
        a.receive(b.sent.removeFirst(), at: now)
      }
    }
    #expect(a.received == [[2]] && b.received == [[1]], "seed \(seed)")
    // The side that yields learns of the other session with its first packet at the latest.
    b.send([3], at: now)
    Self.settle(a, b, at: now)
    a.send([4], at: now)
    Self.settle(a, b, at: now)
    #expect(Self.shareOneSession(a, b), "seed \(seed)")
    #expect(a.initiationsSent + b.initiationsSent <= 2)
    #expect(a.device.indices.count == a.published.all.count, "no index is lost")
    #expect(b.device.indices.count == b.published.all.count)
  }

  // MARK: Load

  @Test func underLoadAHandshakeNeedsARoundTripForTheCookie() throws {
    let (a, b) = try TestPeer.pair()
    b.isUnderLoad = true
    a.send([1], at: .zero)
    b.receive(a.sent.removeFirst(), at: .zero)
    #expect(b.sent.map(\.count) == [CookieReply.size])
    a.receive(b.sent.removeFirst(), at: .zero)
    #expect(a.sent.isEmpty, "the cookie is used by the next initiation, in its own time")
    a.advance(to: .seconds(5.4))
    Self.settle(a, b, at: .seconds(5.4))
    #expect(b.received == [[1]] && a.initiationsSent == 2)
  }

  @Test func aCookieForAnotherMessageIsRefused() throws {
    let (a, b) = try TestPeer.pair()
    b.isUnderLoad = true
    a.send([1], at: .zero)
    b.receive(a.sent.removeFirst(), at: .zero)
    let reply = b.sent.removeFirst()
    var wrongIndex = reply
    wrongIndex[4] ^= 1
    a.receive(wrongIndex, at: .zero)
    var wrongCookie = reply
    wrongCookie[40] ^= 1
    a.receive(wrongCookie, at: .zero)
    #expect(a.errors == [.unexpected, .unauthentic])
    a.receive(reply, at: .zero)
    a.receive(reply, at: .zero)
    #expect(a.errors == [.unexpected, .unauthentic, .unexpected], "one message asks for one cookie")
    a.advance(to: .seconds(6))
    b.isUnderLoad = false
    b.receive(a.sent.removeFirst(), at: .seconds(6))
    #expect(b.sent.map(\.count) == [HandshakeResponse.size], "mac2 is not looked at without load")
  }

  @Test func aResponseMayMeetALoadedInitiator() throws {
    let (a, b) = try TestPeer.pair()
    a.isUnderLoad = true
    a.send([1], at: .zero)
    b.receive(a.sent.removeFirst(), at: .zero)
    a.receive(b.sent.removeFirst(), at: .zero)
    #expect(a.sent.map(\.count) == [CookieReply.size])
    b.receive(a.sent.removeFirst(), at: .zero)
    #expect(b.errors.isEmpty)
    a.advance(to: .seconds(6))
    Self.settle(a, b, at: .seconds(6))
    #expect(b.received == [[1]], "the second response carries a mac2")
  }

  // MARK: Ends

  @Test func linkDownErasesEverything() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    Self.settle(a, b, at: .zero)
    b.send([2], at: .seconds(1))
    a.tunnel.linkDown(in: &a.device)
    a.drain(at: .seconds(1))
    #expect(a.published.all.isEmpty && a.device.indices.count == 0)
    #expect(a.nextDeadline == .distantFuture)
    a.send([3], at: .seconds(6))
    Self.settle(a, b, at: .seconds(6))
    #expect(b.received == [[1], [3]])
  }

  @Test func indicesAreFoundByOwnerAndGivenBack() throws {
    let (a, b) = try TestPeer.pair()
    a.send([1], at: .zero)
    let index = try #require(a.outstandingIndex)
    #expect(a.device.indices[index] == 7)
    a.advance(to: .seconds(6))
    #expect(a.device.indices[index] == nil && a.device.indices.count == 1, "a retry has a new index")
    Self.settle(a, b, at: .seconds(6))
    #expect(a.device.indices.count == 1 && b.device.indices.count == 1)
  }
}
