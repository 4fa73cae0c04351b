import Babel
import Net

/// A packet from a neighbour: what is understood is written so that it reads the same.
func feedBabelPacket(_ input: RawSpan) {
  let source = IPv6Address(high: 0xFE80 << 48, low: 1)
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
