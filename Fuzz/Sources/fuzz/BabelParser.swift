import Babel
import Net

/// A packet from a neighbour: what is understood is written so that it reads the same, and a speaker with routes and
/// further neighbours takes it and comes to rest.
func feedBabelPacket(_ input: RawSpan) {
  let source = IPv6Address(high: 0xFE80_0000_0000_0000, low: 1)
  feedReader(input, from: source)
  feedSpeaker(input, from: source)
}

private func feedReader(_ input: RawSpan, from source: IPv6Address) {
  guard var reader = PacketReader(input, from: source) else { return }
  while let message = reader.next() {
    var writer = PacketWriter(limit: 1400, source: source)
    guard writer.append(message), let packet = writer.finish(),
      var second = PacketReader(packet.span.bytes, from: source)
    else { continue }
    precondition(second.next() != nil, "\(message) became unreadable")
    precondition(second.malformedCount == 0, "\(message) was written wrong")
  }
}

/// Neighbour 1 sends the input, neighbour 2 hears of it, and neighbour 3, whose key takes every MAC, sends it too.
private func feedSpeaker(_ input: RawSpan, from source: IPv6Address) {
  guard let routerID = RouterID(0x0102_0304_0506_0708), let prefix = IPPrefix("10.44.0.1/32"),
    let network = IPPrefix("2001:db8:7::/48")
  else { return }
  var speaker = Speaker(routerID: routerID, seqno: Seqno(1), seed: 1)
  let ours = IPv6Address(high: 0xFE80_0000_0000_0000, low: 2)
  let key = MACKey(sign: { _ in [1, 2, 3, 4] }, verify: { _, candidates in !candidates.isEmpty })
  var now = Instant.zero
  for id in 1...3 as ClosedRange<UInt32> {
    let settings = NeighbourSettings(ourLinkLocal: ours, keys: id == 3 ? [key] : [])
    speaker.addNeighbour(NeighbourID(id), settings, at: now)
    speaker.linkUp(NeighbourID(id), at: now)
  }
  speaker.originate(prefix, metric: Metric(0), at: now)
  speaker.originate(.defaultIPv6, source: network, metric: Metric(0), at: now)
  speaker.handle(input, from: NeighbourID(1), source: source, destinationIsUnicast: false, at: now)
  speaker.handle(input, from: NeighbourID(3), source: source, destinationIsUnicast: true, at: now)
  for _ in 0..<6 {
    speaker.advance(to: now)
    while let output = speaker.poll() {
      guard case .send(_, let packet) = output else { continue }
      precondition(packet.payload(at: now).count <= 1372, "a packet too long for its link")
    }
    precondition(speaker.nextDeadline > now, "a deadline that has passed is a busy loop")
    now = min(speaker.nextDeadline, now.advanced(by: .seconds(2)))
  }
}
