import Net
import Testing

@testable import Babel

/// One speaker among neighbours whose every word a test decides.
///
/// Their Hellos and IHUs promise ten minutes, so links stay up unless a test says otherwise.
struct Station {
  struct Sent: Equatable {
    var to: Int
    var time: Instant
    var messages: [TLV]
    var isUnicast: Bool
  }

  static let routerID = RouterID.test(0xAAAA)
  static let linkLocal = IPv6Address(high: 0xFE80 << 48, low: 0xAAAA)
  static let origin = RouterID.test(0xBBBB)
  static let other = RouterID.test(0xCCCC)
  static let prefix = IPPrefix.test("fd00::1/128")
  static let long = Interval(centiseconds: 60000)

  var speaker: Speaker
  var now = Instant(nanoseconds: 1_000_000_000)
  var sent: [Sent] = []
  var changed: [IPPrefix] = []
  var switches: [RouteSwitch] = []
  var seqnos: [Seqno] = []
  var lostClaims: [IPPrefix] = []
  var overLimit: [Int] = []
  private var hellos: [Int: Seqno] = [:]

  init(seqno: UInt16 = 100, limits: Limits = Limits(), timing: Timing = Timing()) {
    speaker = Speaker(
      routerID: Self.routerID, seqno: Seqno(seqno), seed: 1, timing: timing, limits: limits)
  }

  static func address(_ neighbour: Int) -> IPv6Address {
    IPv6Address(high: 0xFE80 << 48, low: UInt64(neighbour) + 1)
  }

  static func id(_ neighbour: Int) -> NeighbourID { NeighbourID(UInt32(neighbour)) }

  /// Adds a neighbour, lets it say two Hellos and an IHU with `cost`, and forgets what was sent meanwhile.
  mutating func join(
    _ neighbour: Int, cost: UInt16 = 96, settings change: (inout NeighbourSettings) -> Void = { _ in }
  ) {
    var settings = NeighbourSettings(ourLinkLocal: Self.linkLocal)
    change(&settings)
    speaker.addNeighbour(Self.id(neighbour), settings, at: now)
    speaker.linkUp(Self.id(neighbour), at: now)
    receive([hello(neighbour), ihu(cost)], from: neighbour)
    receive([hello(neighbour), ihu(cost)], from: neighbour)
    run(for: .seconds(2))
    sent = []
    changed = []
  }

  mutating func hello(_ neighbour: Int, interval: Interval = Station.long) -> TLV {
    let seqno = hellos[neighbour] ?? Seqno(7)
    hellos[neighbour] = seqno.successor
    return .hello(Hello(seqno: seqno, interval: interval))
  }

  func ihu(_ cost: UInt16, interval: Interval = Station.long) -> TLV {
    .ihu(IHU(address: .v6(Self.linkLocal), rxcost: Metric(cost), interval: interval))
  }

  static func update(
    _ metric: UInt16, seqno: UInt16 = 10, routerID: RouterID = Station.origin,
    prefix: IPPrefix = Station.prefix, source: IPPrefix? = nil, interval: Interval = Station.long
  ) -> TLV {
    let nextHop: IPAddress = prefix.family == .v4 ? .v4(IPv4Address(10, 9, 9, 9)) : .v6(address(0))
    return .update(
      Update(
        prefix: prefix, source: source, routerID: routerID, nextHop: nextHop, seqno: Seqno(seqno),
        metric: Metric(metric),
        interval: interval))
  }

  static func retraction(_ prefix: IPPrefix = Station.prefix, source: IPPrefix? = nil) -> TLV {
    .update(Update(retracting: prefix, source: source, seqno: Seqno(0), interval: long))
  }

  mutating func receive(
    _ messages: [TLV], from neighbour: Int, isUnicast: Bool = false, isOvertaken: Bool = false
  ) {
    var writer = PacketWriter(limit: 1372, source: Self.address(neighbour))
    for message in messages { _ = writer.append(message) }
    receive(bytes: writer.finish() ?? [], from: neighbour, isUnicast: isUnicast, isOvertaken: isOvertaken)
  }

  mutating func receive(
    bytes: [UInt8], from neighbour: Int, source: IPv6Address? = nil, isUnicast: Bool = false,
    isOvertaken: Bool = false
  ) {
    speaker.handle(
      bytes.span.bytes, from: Self.id(neighbour), source: source ?? Self.address(neighbour),
      destinationIsUnicast: isUnicast, isOvertaken: isOvertaken, at: now)
    drain()
  }

  /// Does `change` to the speaker and takes what comes of it.
  mutating func perform(_ change: (inout Speaker, Instant) -> Void) {
    change(&speaker, now)
    drain()
  }

  mutating func run(for duration: Duration) {
    let end = now.advanced(by: duration)
    while speaker.nextDeadline <= end {
      now = max(now, speaker.nextDeadline)
      speaker.advance(to: now)
      drain()
    }
    now = end
  }

  mutating func drain() {
    while let output = speaker.poll() {
      switch output {
      case .send(let id, let packet):
        sent.append(
          Sent(
            to: Int(id.rawValue), time: now,
            messages: Captures.messages(packet.payload(at: now), from: Self.linkLocal),
            isUnicast: packet.isUnicast))
      case .routeChanged(let key): changed.append(key.prefix)
      case .switched(let change): switches.append(change)
      case .seqnoChanged(let seqno): seqnos.append(seqno)
      case .claimLost(let prefix): lostClaims.append(prefix)
      case .prefixLimitReached(let id): overLimit.append(Int(id.rawValue))
      case .neighbourChanged, .neighbourDoubted: break
      }
    }
  }

  /// Acknowledges everything sent to a neighbour that asks for it.
  mutating func acknowledgeAll(from neighbour: Int) {
    for packet in sent where packet.to == neighbour {
      for case .acknowledgmentRequest(let opaque, _) in packet.messages {
        receive([.acknowledgment(opaque: opaque)], from: neighbour, isUnicast: true)
      }
    }
  }

  var state: RouteView.State { speaker.route(for: Self.prefix).state }

  /// The neighbour in use for `prefix`.
  var nextHop: Int? {
    guard case .via(let id, _, _, _) = state else { return nil }
    return Int(id.rawValue)
  }

  /// The hold of `prefix`.
  var hold: Destination.Hold? {
    speaker.routeTable.slot(RouteKey(Self.prefix)).flatMap { speaker.routeTable[$0].hold }
  }

  /// The metric of each update for `prefix` sent to a neighbour.
  func metrics(to neighbour: Int, of prefix: IPPrefix = Station.prefix) -> [Metric] {
    updates(to: neighbour).filter { $0.prefix == prefix }.map(\.metric)
  }

  func updates(to neighbour: Int) -> [Update] {
    sent.filter { $0.to == neighbour }.flatMap(\.messages).compactMap { message in
      guard case .update(let update) = message else { return nil }
      return update
    }
  }

  /// The seqno requests sent and to whom.
  var seqnoRequests: [(to: Int, request: SeqnoRequest, isUnicast: Bool, time: Instant)] {
    sent.flatMap { packet in
      packet.messages.compactMap { message in
        guard case .seqnoRequest(let request) = message else { return nil }
        return (packet.to, request, packet.isUnicast, packet.time)
      }
    }
  }
}
