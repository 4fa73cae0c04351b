import Babel
import Net

/// Packets in a row from the neighbours of a speaker that knows routes: it says only what can be read, and all that it wants
/// to do lies ahead.
///
/// A packet ends where the next one's header follows its body; what else follows is its trailer. The length of a packet
/// says who sends it.
func feedBabelSpeaker(_ input: RawSpan) {
  // A copy shares what the input does not change, so that inputs are as cheap as they are independent.
  guard var scene = Scene.ready else { return }
  var rest = input
  var count = 0
  repeat {
    let length = rest.firstPacketLength
    scene.hear(rest.extracting(0..<length), sender: length % 8, isOvertaken: count % 4 == 3)
    rest = rest.extracting(length..<rest.byteCount)
    count += 1
  } while !rest.isEmpty
  // It costs as much as all before.
  if input.byteCount.isMultiple(of: 4) { scene.oversleep() }
}

/// A speaker with a stock neighbour, a meshd, and one whose key takes every MAC.
private struct Scene {
  private static let theirs = IPv6Address(high: 0xFE80 << 48, low: 1)
  private static let ours = IPv6Address(high: 0xFE80 << 48, low: 2)
  private static let stock = NeighbourID(1)
  private static let meshd = NeighbourID(2)
  private static let authenticated = NeighbourID(3)

  private var speaker: Speaker
  private var now = Instant.zero

  /// Two links are usable, routes are in use, unfeasible and held, and everything has been said.
  static let ready: Scene? = {
    guard let routerID = RouterID(0x0102_0304_0506_0708) else { return nil }
    // Small tables are full sooner.
    var limits = Limits()
    (limits.routesPerNeighbour, limits.sources, limits.requestsPerPrefix) = (16, 48, 3)
    var scene = Scene(speaker: Speaker(routerID: routerID, seqno: Seqno(1), seed: 1, limits: limits))
    scene.open()
    for seqno in 1...3 as ClosedRange<UInt16> { scene.greet(seqno) }
    scene.announce()
    for _ in 0..<32 { scene.waitForDeadline() }
    let areUsable = [stock, meshd].allSatisfy { scene.speaker.neighbour($0)?.cost.isFinite == true }
    precondition(areUsable, "a scene without links")
    return scene
  }()

  private mutating func open() {
    let key = MACKey(sign: { _ in [1, 2, 3, 4] }, verify: { _, candidates in !candidates.isEmpty })
    for id in [Self.stock, Self.meshd, Self.authenticated] {
      var settings = NeighbourSettings(ourLinkLocal: Self.ours, isMeshd: id == Self.meshd)
      if id == Self.meshd { settings.expected = Self.theirs }
      if id == Self.authenticated { settings.keys = [key] }
      speaker.addNeighbour(id, settings, at: now)
      speaker.linkUp(id, at: now)
    }
    guard let prefix = IPPrefix("10.44.0.1/32"), let network = IPPrefix("2001:db8:7::/48") else { return }
    speaker.originate(prefix, at: now)
    speaker.originate(.defaultIPv6, source: network, at: now)
  }

  private mutating func greet(_ seqno: UInt16) {
    let long = Interval(centiseconds: 60_000)
    let hello = TLV.hello(Hello(seqno: Seqno(seqno), interval: long))
    let ihu = TLV.ihu(IHU(address: .v6(Self.ours), rxcost: .wired, interval: long))
    for id in [Self.stock, Self.meshd] { hear([hello, ihu], from: id) }
  }

  private mutating func announce() {
    hear(
      [update("10.1.0.0/16", 96), update("10.2.0.0/16", 96), update("2001:db8:1::/48", 0)], from: Self.stock)
    waitForDeadline()
    hear([update("10.1.0.0/16", 400), update("2001:db8:1::/48", 50), update("::/0", 96)], from: Self.meshd)
    waitForDeadline()
    // One is lost for good, one has only an unfeasible way left.
    hear([update("10.2.0.0/16", 65_535), update("10.1.0.0/16", 65_535)], from: Self.stock)
  }

  private func update(_ text: String, _ metric: UInt16) -> TLV {
    guard let prefix = IPPrefix(text), let origin = RouterID(0x0a0b_0c0d_0e0f_0102) else {
      preconditionFailure("\(text) is no prefix")
    }
    let interval = Interval(centiseconds: 2000)
    guard metric != .max else {
      return .update(Update(retracting: prefix, seqno: Seqno(1), interval: interval))
    }
    let nextHop: IPAddress = prefix.family == .v4 ? .v4(IPv4Address(192, 0, 0, 8)) : .v6(Self.theirs)
    return .update(
      Update(
        prefix: prefix, routerID: origin, nextHop: nextHop, seqno: Seqno(1), metric: Metric(metric),
        interval: interval))
  }

  private mutating func hear(_ messages: [TLV], from id: NeighbourID) {
    var writer = PacketWriter(limit: 1400, source: Self.theirs)
    for message in messages { _ = writer.append(message) }
    guard let packet = writer.finish() else { return }
    speaker.handle(packet.span.bytes, from: id, source: Self.theirs, destinationIsUnicast: false, at: now)
    proceed()
  }

  /// The packet of a neighbour arrives; `sender` is from 0 to 7.
  mutating func hear(_ packet: RawSpan, sender: Int, isOvertaken: Bool) {
    // Few inputs can pass as authentic.
    let id = sender == 0 ? Self.authenticated : sender % 2 == 0 ? Self.stock : Self.meshd
    speaker.handle(
      packet, from: id, source: Self.theirs, destinationIsUnicast: id != Self.stock,
      isOvertaken: isOvertaken, at: now)
    // What it causes leaves within ten.
    now = now.advanced(by: .milliseconds(20))
    proceed()
  }

  /// Lets time pass until there is something to do, or two seconds.
  private mutating func waitForDeadline() {
    now = min(speaker.nextDeadline, now.advanced(by: .seconds(2)))
    proceed()
  }

  /// Is late: several things are to be done at once.
  mutating func oversleep() {
    now = now.advanced(by: .seconds(2))
    proceed()
  }

  private mutating func proceed() {
    speaker.advance(to: now)
    while let output = speaker.poll() {
      guard case .send(_, let packet) = output else { continue }
      let payload = packet.payload(at: now)
      precondition(payload.count <= 1372, "a packet too long for its link")
      guard var reader = PacketReader(payload.span.bytes, from: Self.ours) else {
        preconditionFailure("a packet that is none")
      }
      while reader.next() != nil {}
      precondition(reader.malformedCount == 0, "a message that nobody can read")
    }
    precondition(speaker.nextDeadline > now, "a deadline that has passed is a busy loop")
  }
}

extension RawSpan {
  /// Where the next packet begins, or everything ends.
  fileprivate var firstPacketLength: Int {
    guard byteCount > 4 else { return byteCount }
    let end = 4 + Int(big16(2))
    return end + 2 <= byteCount && byte(end) == 42 && byte(end + 1) == 2 ? end : byteCount
  }
}
