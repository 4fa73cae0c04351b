import Net
import Testing

@testable import Noise

/// Hours of a link that loses, delays and reorders, driven by a virtual clock.
@Suite struct LongRunTests {
  struct Flight {
    var arrival: Instant
    var toB: Bool
    var datagram: [UInt8]
  }

  struct Log {
    var sent = 0
    var received = 0
    var initiations = 0
  }

  /// Runs a link for `hours` on which both sides send every second or two.
  static func run(seed: UInt64, hours: Double, loss: Double, bothSend: Bool) throws -> (
    TestPeer, TestPeer, Log
  ) {
    var random = SplitMix64(seed: seed)
    let (a, b) = try TestPeer.pair(seed: seed)
    var flights: [Flight] = []
    var now = Instant.zero
    let end = Instant.seconds(hours * 3_600)
    var nextSend = now
    var log = Log()
    while now < end {
      let arrival = flights.map(\.arrival).min() ?? .distantFuture
      now = max(now, min(nextSend, arrival, a.nextDeadline, b.nextDeadline))
      if now >= nextSend {
        (bothSend && Bool.random(using: &random) ? b : a).send([UInt8(truncatingIfNeeded: log.sent)], at: now)
        log.sent += 1
        nextSend = now.advanced(by: .milliseconds(Int64.random(in: 200...2_000, using: &random)))
      }
      while let place = flights.firstIndex(where: { $0.arrival <= now }) {
        let flight = flights.remove(at: place)
        (flight.toB ? b : a).receive(flight.datagram, at: now)
      }
      a.advance(to: now)
      b.advance(to: now)
      for (peer, toB) in [(a, true), (b, false)] {
        for datagram in peer.sent where Double.random(in: 0..<1, using: &random) >= loss {
          let delay = Int64.random(in: 1...150, using: &random)
          flights.append(
            Flight(arrival: now.advanced(by: .milliseconds(delay)), toB: toB, datagram: datagram))
        }
        peer.sent = []
      }
      for peer in [a, b] {
        if peer.device.indices.count > 4 { Issue.record("seed \(seed): indices are not given back") }
      }
    }
    log.received = a.received.count + b.received.count
    log.initiations = a.initiationsSent + b.initiationsSent
    return (a, b, log)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func aCleanLinkLosesNothingAndRenewsEveryTwoMinutes(seed: UInt64) throws {
    let (a, b, log) = try Self.run(seed: seed, hours: 2, loss: 0, bothSend: true)
    #expect(log.received >= log.sent - 1, "seed \(seed)")
    // 60 periods of 120 s, each a little longer by the wait for the next packet and the flight.
    #expect((56...62).contains(log.initiations), "seed \(seed): \(log.initiations)")
    #expect(a.gaveUp + b.gaveUp == 0 && a.errors.isEmpty && b.errors.isEmpty)
  }

  @Test(arguments: 10..<14 as Range<UInt64>)
  func aLossyLinkKeepsASession(seed: UInt64) throws {
    let (a, b, log) = try Self.run(seed: seed, hours: 2, loss: 0.3, bothSend: true)
    let share = Double(log.received) / Double(log.sent)
    #expect(share > 0.6 && share < 0.85, "seed \(seed): \(share)")
    #expect(a.gaveUp + b.gaveUp == 0, "seed \(seed)")
    #expect(log.initiations < 400, "seed \(seed): \(log.initiations)")
  }

  @Test(arguments: [20, 21] as [UInt64])
  func aOneWayFlowIsKeptAliveByKeepalives(seed: UInt64) throws {
    let (a, b, log) = try Self.run(seed: seed, hours: 1, loss: 0, bothSend: false)
    #expect(log.received >= log.sent - 1 && b.keepalivesSent > 300, "seed \(seed): \(b.keepalivesSent)")
    #expect(a.sourcesForgotten == 0 && b.initiationsSent == 0)
  }

  @Test func theSameSeedRunsTheSame() throws {
    let (a, b, first) = try Self.run(seed: 42, hours: 0.5, loss: 0.2, bothSend: true)
    let (c, d, second) = try Self.run(seed: 42, hours: 0.5, loss: 0.2, bothSend: true)
    #expect(first.received == second.received && first.initiations == second.initiations)
    #expect(a.received == c.received && b.received == d.received)
  }
}
