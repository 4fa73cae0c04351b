import Net
import Testing

@testable import Tun

/// Packets of TCP and UDP, and streams of them, made from a seed.
struct Traffic {
  var random: SplitMix64

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
  }

  /// The headers of a packet and what may differ between flows.
  struct Flow {
    var family = AddressFamily.v4
    var transport = TransportLayout.Transport.tcp
    var host: UInt8 = 1
    var port: UInt16 = 1000
    var trafficClass: UInt8 = 0
    var hopLimit: UInt8 = 64
    var hasDF = true
    var identification: UInt16 = 7
    var sequence: UInt32 = 0xFFFF_F000
    var acknowledgment: UInt32 = 5
    var window: UInt16 = 501
    var flags: UInt8 = 0x10
    /// Words of TCP options.
    var options: [UInt32] = []
    /// Octets of IP options, or of an extension header.
    var ipOptions: [UInt8] = []
  }

  /// A flow of any kind.
  mutating func flow() -> Flow {
    var flow = Flow()
    flow.family = Bool.random(using: &random) ? .v4 : .v6
    flow.transport = Bool.random(using: &random) ? .tcp : .udp
    flow.host = .random(in: 1...250, using: &random)
    flow.port = .random(in: 1...65535, using: &random)
    flow.trafficClass = .random(in: 0...255, using: &random)
    flow.hopLimit = .random(in: 1...255, using: &random)
    flow.hasDF = Bool.random(using: &random)
    flow.identification = .random(in: 0...65535, using: &random)
    flow.sequence = .random(in: 0...UInt32.max, using: &random)
    flow.acknowledgment = .random(in: 0...UInt32.max, using: &random)
    flow.window = .random(in: 0...65535, using: &random)
    flow.flags = Bool.random(using: &random) ? 0x10 : 0x50
    flow.options = (0..<Int.random(in: 0...10, using: &random)).map { _ in
      .random(in: 0...UInt32.max, using: &random)
    }
    return flow
  }

  mutating func payload(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in .random(in: 0...255, using: &random) }
  }

  /// A complete packet with right checksums.
  static func packet(_ flow: Flow, payload: [UInt8]) -> [UInt8] {
    var transport: [UInt8] = []
    func big16(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
    func big32(_ value: UInt32) -> [UInt8] { big16(UInt16(value >> 16)) + big16(UInt16(value & 0xFFFF)) }
    transport += big16(flow.port) + big16(443)
    switch flow.transport {
    case .tcp:
      transport += big32(flow.sequence) + big32(flow.acknowledgment)
      transport += [UInt8(5 + flow.options.count) << 4, flow.flags] + big16(flow.window) + [0, 0, 0, 0]
      for option in flow.options { transport += big32(option) }
    case .udp:
      transport += big16(UInt16(8 + payload.count)) + [0, 0]
    }
    transport += payload
    var ip: [UInt8]
    let addresses: [UInt8]
    switch flow.family {
    case .v4:
      addresses = [10, 0, 0, 1, 10, 0, 1, flow.host]
      let length = 20 + flow.ipOptions.count
      ip = [0x40 | UInt8(length / 4), flow.trafficClass] + big16(UInt16(length + transport.count))
      ip +=
        big16(flow.identification) + [flow.hasDF ? 0x40 : 0, 0, flow.hopLimit, flow.transport.rawValue, 0, 0]
      ip += addresses + flow.ipOptions
      let sum = checksum(ip)
      ip.replaceSubrange(10..<12, with: big16(sum))
    case .v6:
      addresses =
        [0xFD] + [UInt8](repeating: 0, count: 14) + [1] + [0xFD] + [UInt8](repeating: 0, count: 14) + [
          flow.host
        ]
      ip = [0x60 | flow.trafficClass >> 4, flow.trafficClass << 4, 0, 0]
      ip += big16(UInt16(flow.ipOptions.count + transport.count))
      ip +=
        [flow.ipOptions.isEmpty ? flow.transport.rawValue : 60, flow.hopLimit] + addresses + flow.ipOptions
    }
    let pseudo = addresses + [0, flow.transport.rawValue] + big16(UInt16(transport.count))
    var sum = checksum(pseudo + transport)
    if sum == 0, flow.transport == .udp { sum = 0xFFFF }
    let field = flow.transport == .tcp ? 16 : 6
    transport.replaceSubrange(field..<field + 2, with: big16(sum))
    return ip + transport
  }

  /// Consecutive packets of a flow: equal sizes, the last one perhaps shorter.
  static func stream(_ flow: Flow, payload: [UInt8], size: Int, lastFlags: UInt8 = 0) -> [[UInt8]] {
    var flow = flow
    let firstFlags = flow.flags
    return stride(from: 0, to: payload.count, by: size).map { start in
      let end = min(start + size, payload.count)
      flow.flags = start == 0 ? firstFlags : firstFlags & 0x7F
      if end == payload.count { flow.flags |= lastFlags }
      defer {
        flow.sequence &+= UInt32(end - start)
        flow.identification &+= 1
      }
      return packet(flow, payload: Array(payload[start..<end]))
    }
  }

  /// The Internet checksum, one word at a time.
  static func checksum(_ octets: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for offset in stride(from: 0, to: octets.count, by: 2) {
      sum += UInt32(octets[offset]) << 8 + (offset + 1 < octets.count ? UInt32(octets[offset + 1]) : 0)
      sum = sum & 0xFFFF + sum >> 16
    }
    return ~UInt16(sum)
  }
}

extension Segmentation {
  /// The plan for a packet in an array: `#expect` cannot take a span.
  init?(_ header: VirtioHeader, planning packet: [UInt8]) {
    self.init(header, of: packet.span.bytes)
  }

  /// All packets, written out.
  func packets(of packet: [UInt8]) -> [[UInt8]] {
    (0..<count).map { index in
      var octets = [UInt8](repeating: 0xEE, count: length(index))
      octets.withUnsafeMutableBytes {
        var span = $0.mutableBytes
        write(index, of: packet.span.bytes, to: &span)
      }
      return octets
    }
  }
}

extension TunOffloads {
  /// What the newest kernels have.
  static let all = TunOffloads(checksums: true, segments: true, datagrams: true)
}

extension Coalescing {
  /// Merges, cuts what was merged, and returns the packets that come out, in order, with the number of writes.
  static func roundTrip(_ packets: [[UInt8]]) -> (writes: Int, packets: [[UInt8]]) {
    var coalescing = Coalescing(.all)
    let writes = coalescing.writes(of: packets)
    var result: [[UInt8]] = []
    for write in writes {
      guard let plan = Segmentation(write.header, planning: write.octets) else {
        Issue.record("a super-packet contradicts its header")
        continue
      }
      result += plan.packets(of: write.octets)
    }
    return (writes.count, result)
  }

  /// What would be written for these packets, each with its header.
  mutating func writes(of packets: [[UInt8]]) -> [(header: VirtioHeader, octets: [UInt8])] {
    var batch = PacketBatch(bufferCount: max(packets.count, 1), bufferCapacity: 65535)
    for packet in packets { batch.add(packet, .deliver) }
    gather(&batch)
    return (0..<count).map { index in
      let group = self[index]
      var slot = group.first
      var octets = batch.octets(slot)
      for _ in 1..<group.count {
        slot = self.slot(after: slot)
        octets += batch.octets(slot)[group.payloadOffset...]
      }
      return (group.header, octets)
    }
  }
}
