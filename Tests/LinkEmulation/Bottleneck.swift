import Mesh
import Net

/// A packet that met a smaller MTU than its own size.
struct Bottleneck {
  /// The largest packet that goes on, in octets.
  let mtu: Int

  /// What becomes of the frame.
  enum Outcome {
    /// These go on in its place.
    case fragments([EthernetFrame])
    /// This goes back.
    case answer(EthernetFrame)
    /// Nothing: about this packet no error may be sent.
    case silence
  }

  /// Whether a frame is too large.
  func blocks(_ frame: EthernetFrame) -> Bool {
    (frame.ipHeader?.totalLength ?? frame.packet.byteCount) > mtu
  }

  /// What a router does (RFC 1812 §4.2.2.7, RFC 1191, RFC 8201); `original` is the frame as its sender knows it.
  func route(_ frame: EthernetFrame, original: EthernetFrame) -> Outcome {
    guard let header = frame.ipHeader else { return .silence }
    if header.source.family == .v4, frame.packet.big16(6) & 0x4000 == 0 {
      return .fragments(fragments(of: frame, header))
    }
    var message = [UInt8](repeating: 0, count: ICMPError.maximumLength)
    var span = message.mutableSpan
    var output = span.mutableBytes
    // The link has no address of its own. The destination's is one that the sender can have a route to.
    guard let destination = original.ipHeader?.destination,
      let length = ICMPError.packetTooBig(mtu: mtu).write(
        about: original.packet, from: destination, to: &output)
    else { return .silence }
    return .answer(EthernetFrame(answering: original, carrying: message.prefix(length)))
  }

  /// RFC 791 §3.2, but for the options: all stand in every fragment.
  private func fragments(of frame: EthernetFrame, _ header: IPHeader) -> [EthernetFrame] {
    let room = (mtu - header.headerLength) & ~7
    guard room > 0 else { return [] }
    let field = frame.packet.big16(6)
    let start = EthernetFrame.headerLength
    let payload = frame.octets[start + header.headerLength..<start + header.totalLength]
    return stride(from: 0, to: payload.count, by: room).map { offset in
      let part = payload.dropFirst(offset).prefix(room)
      let isLast = offset + part.count == payload.count
      let ipHeader = frame.octets[start..<start + header.headerLength]
      var fragment = EthernetFrame(likeThatOf: frame, carrying: ipHeader + part)
      fragment.changePacket { packet in
        packet.set(big16: UInt16(header.headerLength + part.count), at: 2)
        let moreFragments = isLast ? field & 0x2000 : 0x2000
        packet.set(big16: moreFragments | (field & 0x1FFF) + UInt16(offset / 8), at: 6)
        packet.set(big16: 0, at: 10)
        var checksum = Checksum()
        checksum.add(packet.bytes.extracting(0..<header.headerLength))
        packet.set(big16: checksum.value, at: 10)
      }
      return fragment
    }
  }
}
