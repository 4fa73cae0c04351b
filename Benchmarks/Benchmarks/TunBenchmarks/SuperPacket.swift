import Net
import Tun

/// What the kernel hands over for one large write: packets of a flow as one.
struct SuperPacket: Sendable {
  /// The packets in it.
  static let segmentCount = 40
  /// Octets of payload of each.
  private static let segmentSize = 1360
  private static var payloadLength: Int { segmentCount * segmentSize }

  static let tcp4 = SuperPacket(.tcp4, headers: ipv4Header(of: tcpHeader, 6) + tcpHeader, transportAt: 20)
  static let tcp6 = SuperPacket(.tcp6, headers: ipv6Header(of: tcpHeader, 6) + tcpHeader, transportAt: 40)
  static let udp4 = SuperPacket(
    .datagrams, headers: ipv4Header(of: udpHeader, 17) + udpHeader, transportAt: 20)

  private let header: VirtioHeader
  private let packet: [UInt8]

  private init(_ content: VirtioHeader.Content, headers: [UInt8], transportAt transportOffset: Int) {
    packet = headers + (0..<Self.payloadLength).map { UInt8(truncatingIfNeeded: $0) }
    var header = VirtioHeader()
    header.content = content
    header.needsChecksum = true
    header.segmentSize = UInt16(Self.segmentSize)
    header.headerLength = UInt16(headers.count)
    header.checksumStart = UInt16(transportOffset)
    header.checksumOffset = content == .datagrams ? 6 : 16
    self.header = header
  }

  /// A batch with room for the packets.
  func emptyBatch() -> PacketBatch {
    PacketBatch(bufferCount: Self.segmentCount, bufferCapacity: 1500)
  }

  /// Cuts the super-packet as the reader of the device does, one packet a buffer.
  func split(into batch: inout PacketBatch) {
    batch.removeAll()
    guard let plan = Segmentation(header, of: packet.span.bytes) else { preconditionFailure("it is sound") }
    for index in 0..<plan.count {
      let length = plan.length(index)
      let slot = batch.append(offset: batch.bufferOffset(index), length: length)
      var segment = batch.mutableBytes(slot)
      plan.write(index, of: packet.span.bytes, to: &segment)
      batch[slot].disposition = .deliver
    }
  }

  private static func ipv4Header(of transport: [UInt8], _ number: UInt8) -> [UInt8] {
    [0x45, 0] + big16(20 + transport.count + payloadLength) + [0, 7, 0x40, 0, 64, number, 0, 0]
      + [10, 0, 0, 1, 10, 0, 0, 2]
  }

  private static func ipv6Header(of transport: [UInt8], _ number: UInt8) -> [UInt8] {
    let network: [UInt8] = [0xFD] + [UInt8](repeating: 0, count: 14)
    return [0x60, 0, 0, 0] + big16(transport.count + payloadLength) + [number, 64] + network + [1] + network
      + [2]
  }

  /// With timestamps, as Linux sends them.
  private static var tcpHeader: [UInt8] {
    [3, 232, 1, 187, 0, 0, 0, 1, 0, 0, 0, 1, 0x80, 0x10, 1, 245, 0, 0, 0, 0]
      + [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1]
  }

  private static var udpHeader: [UInt8] { [3, 232, 1, 187] + big16(8 + payloadLength) + [0, 0] }

  private static func big16(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
}
